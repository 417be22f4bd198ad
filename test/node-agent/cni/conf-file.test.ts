import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ConfFile, networkConf } from '#node-agent/cni/conf-file.ts';

let folder: string;
const outcomes: unknown[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hawser-conf-'));
  outcomes.length = 0;
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true });
});

const confFile = (path = join(folder, '10-hawser.conflist')) =>
  new ConfFile({
    path,
    conf: networkConf('/run/hawser/agent.sock', [{ type: 'portmap', capabilities: { portMappings: true } }]),
    withdrawAfterSeconds: 30,
    onOutcome: (outcome) => outcomes.push(outcome),
  });

test('the file is there once the agent serves, whole, and names the socket and the chained plugins', async () => {
  const file = confFile();
  file.serving(false);
  await file.settled();
  expect(await readdir(folder)).toEqual([]);
  file.serving(true);
  file.serving(true);
  await file.settled();
  expect(await readdir(folder)).toEqual(['10-hawser.conflist']);
  expect(JSON.parse(await readFile(join(folder, '10-hawser.conflist'), 'utf8'))).toEqual({
    cniVersion: '1.0.0',
    cniVersions: ['0.4.0', '1.0.0'],
    name: 'hawser',
    plugins: [
      { type: 'hawser', socket: '/run/hawser/agent.sock' },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  });
  expect(outcomes).toEqual(['written']);
});

test('a short absence leaves the file alone, a long one removes it, a return writes it again', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const file = confFile();
  file.serving(true);
  file.serving(false);
  vi.advanceTimersByTime(29_000);
  file.serving(true);
  vi.advanceTimersByTime(60_000);
  await file.settled();
  expect(await readdir(folder)).toEqual(['10-hawser.conflist']);
  file.serving(false);
  file.serving(false);
  vi.advanceTimersByTime(30_000);
  await file.settled();
  expect(await readdir(folder)).toEqual([]);
  file.serving(true);
  await file.settled();
  expect(outcomes).toEqual(['written', 'removed', 'written']);
});

test('a file of an agent before stays while this one connects, and goes when it cannot', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  await writeFile(join(folder, '10-hawser.conflist'), '{}');
  const file = confFile();
  file.serving(false);
  vi.advanceTimersByTime(29_000);
  await file.settled();
  expect(await readdir(folder)).toEqual(['10-hawser.conflist']);
  vi.advanceTimersByTime(1_000);
  await file.settled();
  expect(await readdir(folder)).toEqual([]);
});

test('a folder that cannot be written is told, not thrown', async () => {
  await writeFile(join(folder, 'file'), '');
  const file = confFile(join(folder, 'file', '10-hawser.conflist'));
  file.serving(true);
  await file.settled();
  expect(outcomes).toEqual([{ failed: expect.objectContaining({ code: 'EEXIST' }) }]);
});

test('1.1.0 is offered where nothing is chained, or what is chained is said to speak it', () => {
  const portmap = [{ type: 'portmap' }];
  const socket = '/run/hawser/agent.sock';
  expect(networkConf(socket, [])).toMatchObject({ cniVersions: ['0.4.0', '1.0.0', '1.1.0'] });
  expect(networkConf(socket, portmap, '1.1.0')).toMatchObject({ cniVersions: ['0.4.0', '1.0.0', '1.1.0'] });
  expect(networkConf(socket, [], '1.0.0')).toMatchObject({ cniVersions: ['0.4.0', '1.0.0'] });
});
