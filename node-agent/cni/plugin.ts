import { readFileSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import { CniError, cniErrorCodes, errorAnswer } from './error.ts';
import { versionAnswer } from './version.ts';

// The executable of the CNI specification: passes its call to the node agent's unix socket and prints the answer. It decides
// nothing, so that an agent can be upgraded without touching /opt/cni/bin, and imports next to nothing, to start fast.

const defaultSocket = '/run/hawser/agent.sock';

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function main(): Promise<number> {
  const verb = process.env.CNI_COMMAND;
  if (verb === 'VERSION') return print(JSON.stringify(versionAnswer()));
  const stdin = readFileSync(0, 'utf8');
  const conf = readConf(stdin);
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('CNI_')));
  try {
    const { status, body } = await post(conf.socket, JSON.stringify({ env, stdin }));
    return print(body, status === 200 ? 0 : 1);
  } catch (cause) {
    if (verb === 'DEL' || verb === 'GC') {
      // The runtime retries a failing DEL for ever and keeps the pod. The sandbox goes with its NIC in it, and an agent that
      // starts finds the port without a device and removes it.
      console.error(`hawser: node agent does not answer on ${conf.socket}, it will clean up when it starts: ${cause}`);
      return 0;
    }
    const code = verb === 'STATUS' ? cniErrorCodes.notAvailable : cniErrorCodes.tryAgainLater;
    const sentence = `the node agent does not answer on ${conf.socket}: is it running on this node?`;
    return print(
      JSON.stringify(errorAnswer(new CniError(code, sentence, { details: String(cause) }), conf.cniVersion)),
      1,
    );
  }
}

/** Just the socket and the version: whether the rest is right is the agent's to say. */
function readConf(stdin: string): { readonly socket: string; readonly cniVersion: string } {
  let socket = defaultSocket;
  let cniVersion = '1.1.0';
  try {
    const conf: unknown = JSON.parse(stdin);
    if (typeof conf === 'object' && conf !== null) {
      if ('socket' in conf && typeof conf.socket === 'string') socket = conf.socket;
      if ('cniVersion' in conf && typeof conf.cniVersion === 'string') cniVersion = conf.cniVersion;
    }
  } catch {
    // The agent refuses it with the right code.
  }
  return { socket, cniVersion };
}

/** One HTTP/1.0 exchange, ended by the server. By hand, because loading node:http takes longer than all the rest. */
function post(socketPath: string, body: string): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  let text = '';
  const socket = connect(socketPath, () => {
    socket.write(
      'POST /cni HTTP/1.0\r\nhost: hawser\r\ncontent-type: application/json\r\n' +
        `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  });
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', reject);
  socket.on('close', () => {
    const [, status] = /^HTTP\/1\.\d (\d{3})/.exec(text) ?? [];
    const headEnd = text.indexOf('\r\n\r\n');
    if (status === undefined || headEnd < 0) reject(new Error('the connection ended before the answer'));
    else resolve({ status: Number(status), body: text.slice(headEnd + 4) });
  });
  return promise;
}

function print(text: string, status = 0): number {
  writeSync(1, text);
  return status;
}

// No top-level await: the bundle is CommonJS, which starts 30 ms faster.
void main().then((status) => {
  process.exitCode = status;
});
