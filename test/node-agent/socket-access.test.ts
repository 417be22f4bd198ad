import { execFile } from 'node:child_process';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type FastifyInstance, fastify } from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listenForRoot, SocketExposed, throwIfOthersReach } from '#node-agent/socket-access.ts';

let folder: string;
let socket: string;
let app: FastifyInstance;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hawser-socket-'));
  await chmod(folder, 0o755);
  socket = join(folder, 'agent.sock');
  app = fastify();
  app.addHook('onRequest', () => throwIfOthersReach(socket));
  app.get('/healthz', async () => 'ok');
});
afterEach(async () => {
  await app.close();
  await rm(folder, { recursive: true });
});

/** What curl prints as this user: the body, or why it could not connect. */
async function askAs(uid: number): Promise<string> {
  const curl = ['curl', '--silent', '--show-error', '--unix-socket', socket, 'http://hawser/healthz'];
  const asUser = [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', ...curl];
  return await promisify(execFile)('setpriv', asUser).then(
    ({ stdout }) => stdout,
    ({ stderr }) => stderr,
  );
}

test('root is answered, a process of any other user is refused by the kernel', async () => {
  await listenForRoot(socket, (path) => app.listen({ path }));
  expect(await askAs(0)).toBe('ok');
  expect(await askAs(65534)).toMatch(/Permission denied|Couldn't connect/);
});

test.each([
  ['a socket that others may connect to', () => chmod(socket, 0o666), 'mode 666'],
  ['a socket that is somebody else’s', () => chown(socket, 107, 0), 'owner 107'],
  ['a folder that others may write to', () => chmod(folder, 0o777), 'the folder of'],
])('%s serves nobody, root neither, until it is put right', async (_, expose, why) => {
  await listenForRoot(socket, (path) => app.listen({ path }));
  await expose();
  for (const uid of [0, 65534]) expect(await askAs(uid)).not.toBe('ok');
  expect(await askAs(0)).toContain(why);
  await Promise.all([chmod(folder, 0o755), chmod(socket, 0o600), chown(socket, 0, 0)]);
  expect(await askAs(0)).toBe('ok');
});

test('nobody listens in a folder that others may write to', async () => {
  await chmod(folder, 0o777);
  await expect(listenForRoot(socket, (path) => app.listen({ path }))).rejects.toThrow(SocketExposed);
  expect(app.server.listening).toBe(false);
});
