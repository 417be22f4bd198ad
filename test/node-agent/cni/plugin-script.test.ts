import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pluginScript, pluginSocket } from '#node-agent/cni/plugin-script.ts';
import { createPluginServer, type PluginAnswer } from '#node-agent/cni/plugin-server.ts';
import type { PluginCall } from '#node-agent/cni/request.ts';

let folder: string;
let socket: string;
let server: Server | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hawser-plugin-'));
  socket = join(folder, 'agent.sock');
  await writeFile(join(folder, 'hawser'), pluginScript());
  await chmod(join(folder, 'hawser'), 0o755);
});
afterEach(async () => {
  server?.close();
  server = undefined;
  await rm(folder, { recursive: true });
});

async function serve(answer: (call: PluginCall, gone: AbortSignal) => Promise<PluginAnswer>): Promise<void> {
  server = createPluginServer(answer);
  await once(server.listen(pluginSocket(socket)), 'listening');
}

function start(env: Readonly<Record<string, string>>, stdin: string) {
  const child = spawn(join(folder, 'hawser'), { env: { PATH: process.env.PATH ?? '', ...env }, stdio: 'pipe' });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.resume();
  child.stdin.end(stdin);
  const ended = once(child, 'close').then(([status]: number[]) => ({ status, stdout }));
  return { child, ended };
}

const env = {
  CNI_COMMAND: 'ADD',
  CNI_CONTAINERID: 'c1',
  CNI_NETNS: '/run/netns/cni-1',
  CNI_IFNAME: 'eth0',
  CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAME=web-0;K8S_POD_UID=u1',
  CNI_PATH: '/opt/cni/bin:/usr/lib/cni',
};

test.each([
  ['a configuration of several lines', (conf: object) => JSON.stringify(conf, undefined, 2)],
  [
    'quotes, backslashes, dollars, tabs and other scripts',
    (conf: object) => JSON.stringify({ ...conf, name: '"\\"$HOME`id`\t\u0001%s ⚓ é' }),
  ],
  ['text that is not JSON', (conf: object) => `${JSON.stringify(conf)}}}`],
  ['a configuration of 100 kB', (conf: object) => JSON.stringify({ ...conf, long: 'x'.repeat(100_000) })],
])('the agent is told what the plugin was told: %s', async (_, text) => {
  const calls: PluginCall[] = [];
  const printed = '{"ips":[],\n "name":"100 % \\\\ ⚓"}';
  await serve(async (call) => {
    calls.push(call);
    return { status: 0, printed };
  });
  const stdin = text({ cniVersion: '1.0.0', socket, name: 'hawser' });
  expect(await start(env, stdin).ended).toEqual({ status: 0, stdout: printed });
  expect(calls).toEqual([{ env, stdin }]);
});

test('an answer that is an error ends the plugin with 1, and one without text prints nothing', async () => {
  const answers: PluginAnswer[] = [
    { status: 1, printed: '{"code":100}' },
    { status: 0, printed: '' },
  ];
  await serve(async () => answers.shift() ?? { status: 1, printed: 'unasked' });
  const stdin = JSON.stringify({ socket });
  expect(await start(env, stdin).ended).toEqual({ status: 1, stdout: '{"code":100}' });
  expect(await start({ ...env, CNI_COMMAND: 'DEL' }, stdin).ended).toEqual({ status: 0, stdout: '' });
});

test.each([
  ['ADD', 1, 11],
  ['CHECK', 1, 11],
  ['STATUS', 1, 50],
  ['DEL', 0, undefined],
  ['GC', 0, undefined],
] as const)(
  'without an agent %s ends with %i and code %s, in the version that was asked',
  async (verb, status, code) => {
    const ended = await start({ ...env, CNI_COMMAND: verb }, `{ "cniVersion" : "0.4.0", "socket" :\n"${socket}" }`)
      .ended;
    expect(ended.status).toBe(status);
    const msg = `the node agent does not answer on ${socket}: is it running on this node?`;
    expect(ended.stdout === '' ? undefined : JSON.parse(ended.stdout)).toEqual(
      code && { cniVersion: '0.4.0', code, msg },
    );
  },
);

test('an agent that dies before it answers is an agent that does not answer', async () => {
  await serve(async () => await new Promise(() => {}));
  server?.on('connection', (peer) => peer.once('data', () => peer.destroy()));
  const { status, stdout } = await start(env, JSON.stringify({ socket })).ended;
  expect(status).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ code: 11 });
});

test('the agent is told when its caller hangs up, and a runtime that kills the plugin does not wait for the agent', async () => {
  const asked = Promise.withResolvers<AbortSignal>();
  await serve(async (_, gone) => {
    asked.resolve(gone);
    await once(gone, 'abort');
    return { status: 1, printed: '' };
  });
  server?.on('connection', (peer) => peers.push(peer));
  const peers: Socket[] = [];
  const { child, ended } = start(env, JSON.stringify({ socket }));
  const gone = await asked.promise;
  child.kill('SIGKILL');
  await ended;
  expect(gone.aborted).toBe(false);
  for (const peer of peers) peer.destroy();
  await once(gone, 'abort');
  expect(String(gone.reason)).toContain('the caller gave up');
});

test('whoever asks for something else is refused', async () => {
  await serve(async () => ({ status: 0, printed: 'not to be told' }));
  const peer = connect(pluginSocket(socket)).setEncoding('utf8');
  peer.write('{"id":7,"method":"exit","params":[]}');
  const [text] = await once(peer, 'data');
  expect(JSON.parse(text)).toMatchObject({ id: 7, result: null, error: expect.any(String) });
  peer.destroy();
});
