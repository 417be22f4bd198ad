import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { ServerRoom } from './real-server.ts';

const run = promisify(execFile);

/** A certificate authority of a test's own. */
export async function authority(room: ServerRoom, name: string) {
  const [keyPath, certPath] = [room.path(`${name}.key`), room.path(`${name}.pem`)];
  await run('openssl', [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
    '-keyout',
    keyPath,
    '-out',
    certPath,
  ]);
  return { keyPath, certPath };
}

/** A key, and a certificate for it by `ca` whose common name is `name`. */
export async function certificate(room: ServerRoom, ca: { keyPath: string; certPath: string }, name: string) {
  const [keyPath, requestPath, certPath] = ['key', 'csr', 'pem'].map((kind) => room.path(`${name}-cert.${kind}`));
  if (!keyPath || !requestPath || !certPath) throw new Error('no path');
  await run('openssl', [
    'req',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-subj',
    `/CN=${name}`,
    '-keyout',
    keyPath,
    '-out',
    requestPath,
  ]);
  await run('openssl', [
    'x509',
    '-req',
    '-in',
    requestPath,
    '-CA',
    ca.certPath,
    '-CAkey',
    ca.keyPath,
    '-CAcreateserial',
    '-days',
    '2',
    '-out',
    certPath,
  ]);
  return { keyPath, certPath };
}
