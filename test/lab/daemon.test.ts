import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CommandFailed, run } from './topology/command.ts';
import { Daemon } from './topology/daemon.ts';
import { untilSocketAccepts } from './topology/until-socket.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hawser-daemon-'));
});
afterEach(() => rm(folder, { recursive: true }));

const shell = (script: string) => ({ name: 'it', command: 'sh', args: ['-c', script], logFile: join(folder, 'log') });

test('a daemon that ends before it is ready is an error with the end of its log', async () => {
  const daemon = new Daemon({ ...shell('echo no such database >&2; exit 3'), ready: () => new Promise(() => {}) });
  await expect(daemon.start()).rejects.toThrow(/it ended with 3; the end of .*log:\nno such database/);
  expect(daemon.pid).toBeUndefined();
});

test('a daemon that is not ready in time is killed', async () => {
  const daemon = new Daemon({
    ...shell('echo $$; exec sleep 1000'),
    ready: () => new Promise(() => {}),
    readyTimeoutMs: 200,
  });
  await expect(daemon.start()).rejects.toThrow('it was not ready in 200 ms');
  const pid = Number(await readFile(daemon.logFile, 'utf8'));
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test('a program that is not there is an error', async () => {
  const daemon = new Daemon({ ...shell(''), command: join(folder, 'no-such-program') });
  await expect(daemon.start()).rejects.toThrow('ENOENT');
});

test('a kill reaches the children too, and the daemon can be started again', async () => {
  const ready = (_: number, signal: AbortSignal) => untilSocketAccepts(join(folder, 'socket'), signal);
  await using server = await listening(join(folder, 'socket'));
  const daemon = new Daemon({ ...shell('sleep 1000 & echo $!; wait'), ready });
  for (const _ of ['first', 'second']) {
    await daemon.start();
    await expect.poll(() => readFile(daemon.logFile, 'utf8')).toMatch(/\d+\n/);
    const child = Number(await readFile(daemon.logFile, 'utf8'));
    await daemon.kill();
    await expect.poll(() => stateOf(child)).toMatch(/^(gone|Z)$/);
    await writeFile(daemon.logFile, '');
  }
  expect(server.listening).toBe(true);
});

test('a socket is waited for from before it is there', async () => {
  const path = join(folder, 'later');
  const accepted = untilSocketAccepts(path, AbortSignal.timeout(10_000));
  await using server = await listening(path);
  await accepted;
  expect(server.listening).toBe(true);
});

test('the wait for a socket ends with its signal', async () => {
  const signal = AbortSignal.timeout(50);
  await expect(untilSocketAccepts(join(folder, 'never'), signal)).rejects.toThrow('timeout');
});

test('a command that fails is an error with what it said', async () => {
  const failed = run('sh', ['-c', 'echo cannot >&2; exit 4']);
  await expect(failed).rejects.toThrow(CommandFailed);
  await expect(failed).rejects.toMatchObject({ status: 4, stderr: 'cannot\n' });
});

async function listening(path: string) {
  const server = createServer().listen(path);
  await new Promise((resolve) => server.once('listening', resolve));
  return server;
}

/** The state letter of a process in proc(5). */
async function stateOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') gone');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[0] ?? '';
}
