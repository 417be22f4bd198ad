import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GuestImage, prepareGuest } from '#test/lab/guest/guest.ts';
import type { GuestReport } from '#test/lab/guest/report.ts';
import { askGuest } from '#test/lab/guest/report-port.ts';
import { type BridgedHosts, reserved, startBridgedHosts } from '#test/lab/qemu/bridged-hosts.ts';
import { type MachineOptions, type QemuMachine, startMachine } from '#test/lab/qemu/machine.ts';
import { inPlace, run } from '#test/lab/topology/command.ts';

// One guest is moved about by all tests of this file, in order, as booting it takes most of the time.
let image: GuestImage;
let hosts: BridgedHosts;
let source: QemuMachine;
let report: GuestReport;
let echo: EchoStream;

beforeAll(async () => {
  image = await prepareGuest(() => {});
  hosts = await startBridgedHosts(['a', 'b']);
  source = await startMachine(optionsOn('a'));
  report = await askGuest(source.reportSocket, { until: ({ ipv4, ipv6 }) => ipv4.length > 0 && ipv6.length > 0 });
  echo = new EchoStream(hosts.router, reserved.ipv4);
  await echo.roundTrip();
});

afterAll(async () => {
  echo.close();
  await hosts[Symbol.asyncDispose]();
});

test('a pre-copy migration moves the guest, which keeps running, its addresses and its TCP stream', async () => {
  const target = await startMachine({ ...optionsOn('b'), incoming: { postCopy: false } });
  const ping = spawnPing();
  const outcome = await source.migrateTo(target, {}).outcome;
  await source.kill();
  const longestGapMs = await ping.stop();

  expect(outcome).toMatchObject({ status: 'completed', mode: 'PreCopy', error: undefined });
  expect(outcome.downtimeMs).toBeGreaterThan(0);
  expect(outcome.stoppedMs).toBeGreaterThanOrEqual(outcome.downtimeMs ?? Number.NaN);
  expect(outcome.totalMs).toBeGreaterThan(outcome.downtimeMs ?? Number.NaN);
  expect(outcome.ramTransferredBytes).toBeGreaterThan(2 ** 20);
  // The bridges learn the guest's new place from its RARP; without it they would need the guest to send by itself.
  expect(longestGapMs).toBeLessThan((outcome.stoppedMs ?? Number.NaN) + 300);
  source = target;
  await expectSameGuest();
});

test('a cancelled migration leaves the guest running on the source', async () => {
  const target = await startMachine({ ...optionsOn('a'), incoming: { postCopy: false } });
  const migration = source.migrateTo(target, { bandwidthBytesPerSecond: slow });
  expect(await migration.copying).toBe(true);
  await migration.cancel();

  expect(await migration.outcome).toMatchObject({ status: 'cancelled', mode: 'PreCopy', stoppedMs: undefined });
  await target.kill();
  expect(await target.untilRuns()).toBeUndefined();
  await expectSameGuest();
});

test('a target that dies mid-copy leaves the guest running on the source', async () => {
  const target = await startMachine({ ...optionsOn('a'), incoming: { postCopy: false } });
  const migration = source.migrateTo(target, { bandwidthBytesPerSecond: slow });
  expect(await migration.copying).toBe(true);
  await target.kill();

  const outcome = await migration.outcome;
  expect(outcome).toMatchObject({ status: 'failed', mode: 'PreCopy' });
  expect(outcome.error).toBeTruthy();
  await expectSameGuest();
});

test('in a post-copy migration the guest runs on the target before its memory is there', async () => {
  const target = await startMachine({ ...optionsOn('a'), incoming: { postCopy: true } });
  const migration = source.migrateTo(target, { postCopy: true, bandwidthBytesPerSecond: slow });
  await migration.copying;
  await migration.startPostCopy();
  const runsAtMs = await target.untilRuns();

  const outcome = await migration.outcome;
  expect(outcome).toMatchObject({ status: 'completed', mode: 'PostCopy' });
  expect(runsAtMs).toBeDefined();
  await source.kill();
  source = target;
  await expectSameGuest();
});

test('a migration to where nobody listens fails, says why, and the guest runs on', async () => {
  const target = await startMachine({ ...optionsOn('b'), incoming: { postCopy: false } });
  await target.kill();

  const outcome = await source.migrateTo(target, {}).outcome;
  expect(outcome).toMatchObject({ status: 'failed', mode: 'PreCopy' });
  expect(outcome.error).toContain('Failed to connect');
  await expectSameGuest();
});

/** Bytes per second at which the guest's memory takes seconds. */
const slow = 4 * 2 ** 20;
let machineCount = 0;

function optionsOn(host: string): MachineOptions {
  return {
    name: `guest on ${host}`,
    folder: `${hosts.folder}/m${machineCount++}`,
    place: { netns: hosts.netnsOf(host), env: hosts.env },
    image,
    nics: [{ tap: 'tap0', mac: reserved.mac }],
  };
}

async function expectSameGuest(): Promise<void> {
  await echo.roundTrip();
  const now = await askGuest(source.reportSocket);
  expect(now).toEqual({ ...report, uptimeSeconds: expect.any(Number), log: expect.anything() });
  expect(now.uptimeSeconds).toBeGreaterThan(report.uptimeSeconds);
}

/** A TCP connection to the guest's echo server from a network namespace. */
class EchoStream {
  #client;
  #lines;
  #count = 0;

  constructor(netns: string, ip: string) {
    const [file, ...args] = inPlace('bash', ['-c', `exec 3<>/dev/tcp/${ip}/7; cat <&3 & exec cat >&3`], { netns });
    this.#client = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface(this.#client.stdout)[Symbol.asyncIterator]();
  }

  /** Resolves when a line came back, and it was the one sent. */
  async roundTrip(): Promise<void> {
    const line = `line ${this.#count++}`;
    this.#client.stdin.write(`${line}\n`);
    expect((await this.#lines.next()).value).toBe(line);
  }

  close(): void {
    this.#client.kill();
  }
}

/** Pings the guest every 10 ms until stopped, which gives the longest time between two answers in ms. */
function spawnPing(): { stop(): Promise<number> } {
  const [file, ...args] = inPlace('ping', ['-D', '-i', '0.01', reserved.ipv4], { netns: hosts.router });
  const ping = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const output: string[] = [];
  ping.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text));
  return {
    stop: async () => {
      // One more answer after the migration, so that a gap at its end counts.
      await run('ping', ['-c', '1', '-w', '5', reserved.ipv4], { netns: hosts.router });
      ping.kill('SIGINT');
      await once(ping, 'close');
      const answered = [...output.join('').matchAll(/^\[([\d.]+)\] \d+ bytes/gm)].map(([, at]) => Number(at) * 1000);
      return Math.max(...answered.slice(1).map((at, index) => at - (answered[index] ?? at)));
    },
  };
}
