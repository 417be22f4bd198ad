import { connect as connectTcp, type OnReadOpts, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { abortReason } from '../abort.ts';
import { parseRemote, type Remote } from './remote.ts';
import type { Dial, Transport, TransportEvents } from './transport.ts';

/**
 * PEM texts for `ssl:` remotes. The server must present a certificate signed by `ca`; as with ovs-vsctl and the C IDL its name is
 * not compared with the address dialled, unless `serverName` asks for that.
 */
export interface TlsOptions {
  readonly ca: string | Buffer;
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  readonly serverName?: string;
}

/** Finds a dead peer that the session's probes do not reach, such as during a long wait for a reply. */
const keepAliveMs = 10_000;

/** Dials over unix sockets, TCP and TLS. */
export function socketDial(tls: TlsOptions | undefined): Dial {
  return (text, events, signal) => {
    const remote = parseRemote(text);
    const socket = open(remote, tls, events.onData);
    const isTls = remote.kind === 'ssl';
    return new Promise((resolve, reject) => {
      const abort = () => socket.destroy(abortReason(signal));
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort, { once: true });
      socket.once('error', reject);
      socket.once(isTls ? 'secureConnect' : 'connect', () => {
        signal.removeEventListener('abort', abort);
        socket.removeListener('error', reject);
        resolve(attach(socket, events));
      });
      socket.once('close', () => signal.removeEventListener('abort', abort));
    });
  };
}

function open(remote: Remote, tls: TlsOptions | undefined, onData: (chunk: Buffer) => void): Socket {
  const onread = readingInto(Buffer.allocUnsafeSlow(readBytes), onData);
  if (remote.kind === 'unix') return connectTcp({ path: remote.path, onread });
  const { host, port } = remote;
  const address = { host, port, keepAlive: true, keepAliveInitialDelay: keepAliveMs, noDelay: true };
  if (remote.kind === 'tcp') return connectTcp({ ...address, onread });
  const { serverName, ...credentials } = tls ?? {};
  const identity: ConnectionOptions = serverName
    ? { servername: serverName }
    : { checkServerIdentity: () => undefined };
  const socket = connectTls({ ...address, ...credentials, ...identity });
  socket.on('data', onData);
  return socket;
}

/** As much as node:net reads at one time. */
const readBytes = 65_536;

/**
 * Reads into one buffer and hands on a copy of what came. A socket's `data` event would allocate a buffer of this size for each reply, however
 * short.
 */
function readingInto(buffer: Buffer, onData: (chunk: Buffer) => void): OnReadOpts {
  return {
    buffer,
    callback: (length) => {
      onData(Buffer.from(buffer.subarray(0, length)));
      return true;
    },
  };
}

function attach(socket: Socket, events: TransportEvents): Transport {
  let failure: Error | undefined;
  socket.on('drain', events.onDrain);
  socket.on('error', (error) => {
    failure = error;
  });
  socket.on('close', () => events.onClose(failure));
  return {
    write: (text) => socket.write(text),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    destroy: () => socket.destroy(),
    end: () => socket.end(),
  };
}
