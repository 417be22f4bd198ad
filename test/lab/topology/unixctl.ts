import { connect } from 'node:net';

/** The daemon answered a command with an error. */
export class UnixctlError extends Error {
  override readonly name = 'UnixctlError';
}

/**
 * Sends one command to the control socket of an OVS or OVN daemon, as `ovs-appctl -t <socket>` does (ovs-appctl(8):
 * JSON-RPC over a unix socket, one string back), without the cost of a process.
 *
 * @throws UnixctlError when the daemon refuses the command; the socket's own error when nobody listens there.
 */
export function unixctl(socketPath: string, command: string, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    let received = '';
    socket.setEncoding('utf8');
    socket.once('error', reject);
    socket.once('connect', () => socket.write(JSON.stringify({ id: 0, method: command, params: args })));
    socket.on('data', (chunk: string) => {
      received += chunk;
      const reply = parseReply(received);
      if (reply === undefined) return;
      socket.destroy();
      if (reply.error === null) resolve(String(reply.result));
      else reject(new UnixctlError(`${command}: ${String(reply.error).trim()}`));
    });
    socket.once('close', () =>
      reject(new UnixctlError(`${command}: the daemon closed ${socketPath} without an answer`)),
    );
  });
}

/** The reply once it is whole: there is exactly one, so whatever parses is all of it. */
function parseReply(text: string): { result: unknown; error: unknown } | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
