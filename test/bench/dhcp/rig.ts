import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailed, run } from '#test/lab/topology/command.ts';

/** Two namespaces and one veth pair: the server on one core, perfdhcp on the other. */
export interface Rig extends AsyncDisposable {
  /** For the server's files; it goes with the rig. */
  readonly folder: string;
  /** Starts a server in its namespace, pinned to core 1, and waits until it answers. */
  start(command: string, args: readonly string[], family: 4 | 6): Promise<BenchedServer>;
  /** One run of perfdhcp, pinned to core 0. */
  perfdhcp(family: 4 | 6, ratePerSecond: number, seconds: number): Promise<Exchanges>;
  /** The same, with the time of each packet. */
  delays(family: 4 | 6, ratePerSecond: number, seconds: number): Promise<Delays>;
  /** Seconds from the first packet until all of `guests` are bound, as perfdhcp counts them. */
  avalanche(family: 4 | 6, guests: number): Promise<number>;
}

export interface BenchedServer extends AsyncDisposable {
  readonly pid: number;
  /** Processor time so far, milliseconds. */
  cpuMs(): number;
  rssMb(): number;
}

/** What perfdhcp saw of four-way exchanges. */
export interface Exchanges {
  readonly completed: number;
  /** Of both legs together, 0 to 1. */
  readonly dropRatio: number;
  readonly meanMs: number;
  /** How much of its core perfdhcp itself was busy with, 0 to 1: near 1 it is the one that can do no more. */
  readonly perfdhcpBusy: number;
}

/** Delays between a request and its answer, both legs of the exchange together, milliseconds. */
export interface Delays {
  readonly meanMs: number;
  readonly p99Ms: number;
}

export const benchGuests = 10_000;
/** The Ethernet address of guest `index`. */
export function benchMac(index: number): string {
  const hex = index.toString(16).padStart(6, '0');
  return `02:00:00:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4)}`;
}
export const benchIpv4 = (index: number): string => `10.77.${1 + (index >> 8)}.${index & 255}`;
export const benchIpv6 = (index: number): string =>
  `fd77::1:${(index >> 16).toString(16)}:${(index & 0xffff).toString(16)}`;

/** Answers that come later than this after the last request count as dropped: who needs longer does not keep up with the rate. */
const latestAnswerUs = '200000';

export const serverNs = 'hwbench-server';
const clientNs = 'hwbench-client';

/**
 * perfdhcp's sockets have the system's default receive buffer. With 208 KiB, perfdhcp here counted an avalanche of 5,000 guests as
 * taking every server 5 to 17 s, with answers missing; with 32 MiB it does not. It is the same for every server of a run.
 */
const bufferSetting = '/proc/sys/net/core/rmem_default';
const bufferBytes = 32 * 1024 * 1024;

export async function openRig(): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), 'hawser-bench-'));
  const macs = join(folder, 'macs');
  await writeFile(macs, Array.from({ length: benchGuests }, (_, i) => `${benchMac(i)}\n`).join(''));
  await removeNamespaces();
  const bufferBefore = readFileSync(bufferSetting, 'utf8');
  const leaveNothing = (): void => {
    writeFileSync(bufferSetting, bufferBefore);
    for (const netns of [serverNs, clientNs]) spawnSync('sh', ['-c', removal(netns)]);
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', leaveNothing);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  writeFileSync(bufferSetting, String(bufferBytes));
  for (const netns of [serverNs, clientNs]) {
    await run('ip', ['netns', 'add', netns]);
    await run('ip', ['-n', netns, 'link', 'set', 'lo', 'up']);
  }
  await run('ip', [
    'link',
    'add',
    'name',
    'sv0',
    'netns',
    serverNs,
    'type',
    'veth',
    'peer',
    'name',
    'cv0',
    'netns',
    clientNs,
  ]);
  for (const [netns, device, host] of [
    [serverNs, 'sv0', 1],
    [clientNs, 'cv0', 2],
  ] as const) {
    await run('sh', ['-c', `echo 0 > /proc/sys/net/ipv6/conf/${device}/accept_dad`], { netns });
    const lines = [
      `addr add 10.77.0.${host}/16 dev ${device}`,
      `addr add fd77::${host}/64 dev ${device} nodad`,
      `link set ${device} up`,
    ];
    await run('ip', ['-batch', '-'], { netns, input: `${lines.join('\n')}\n` });
  }
  const perf = (args: readonly string[]): Promise<string> =>
    run('taskset', ['-c', '0', 'perfdhcp', '-g', 'single', '-l', 'cv0', ...args], { netns: clientNs }).catch(
      (error: unknown) => {
        // Status 3: some exchanges did not complete. The counts are what we came for.
        if (error instanceof CommandFailed && error.status === 3) return '';
        throw error;
      },
    );
  const report = async (args: readonly string[]): Promise<string> => {
    const file = join(folder, 'report');
    const quoted = ['taskset', '-c', '0', 'perfdhcp', '-g', 'single', '-l', 'cv0', ...args].join(' ');
    // `times` has the processor time of children in its second line, as in `0m1.234s 0m2.345s`.
    await run('sh', ['-c', `${quoted} > ${file} 2>&1; times >> ${file}`], { netns: clientNs });
    return readFileSync(file, 'utf8');
  };
  return {
    folder,
    async start(command, args, family) {
      const child = spawn('nsenter', [`--net=/run/netns/${serverNs}`, '--', 'taskset', '-c', '1', command, ...args], {
        stdio: 'ignore',
        cwd: folder,
      });
      const { pid } = child;
      if (pid === undefined) throw new Error(`${command} did not start`);
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      for (let attempt = 0; ; attempt++) {
        await sleep(250);
        if (child.exitCode !== null) throw new Error(`${command} ended at once`);
        const said = await perf([`-${family}`, '-r', '20', '-n', '4', '-W', '300000', '-M', macs]).catch(() => '');
        if (/received packets: [1-9]/.test(said)) break;
        if (attempt > 60) throw new Error(`${command} answers nothing`);
      }
      const stat = (): string[] => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return {
        pid,
        cpuMs: () => (Number(stat()[11]) + Number(stat()[12])) * 10,
        rssMb: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024,
        async [Symbol.asyncDispose]() {
          child.kill('SIGTERM');
          await Promise.race([ended, sleep(2000).then(() => child.kill('SIGKILL'))]);
        },
      };
    },
    async perfdhcp(family, ratePerSecond, seconds) {
      const text = await report([
        `-${family}`,
        '-r',
        `${ratePerSecond}`,
        '-p',
        `${seconds}`,
        '-W',
        latestAnswerUs,
        '-M',
        macs,
      ]);
      const numbers = (name: string): number[] =>
        [...text.matchAll(new RegExp(`${name}: ([\\d.]+)`, 'g'))].map((match) => Number(match[1]));
      const [sentFirst = 0, sentSecond = 0] = numbers('sent packets');
      const [gotFirst = 0, gotSecond = 0] = numbers('received packets');
      const delays = numbers('avg delay');
      const sent = sentFirst + sentSecond;
      return {
        completed: gotSecond,
        dropRatio: sent === 0 ? 1 : (sent - gotFirst - gotSecond) / sent,
        meanMs: delays.reduce((sum, delay) => sum + delay, 0) / Math.max(1, delays.length),
        perfdhcpBusy: Math.min(1, childSeconds(text) / seconds),
      };
    },
    async delays(family, ratePerSecond, seconds) {
      const rate = [`-${family}`, '-r', `${ratePerSecond}`, '-p', `${seconds}`, '-W', latestAnswerUs];
      const text = await report([...rate, '-M', macs, '-x', 't']);
      const delaysMs = [...text.matchAll(/^sent \/ received: ([\d.]+) \/ ([\d.]+)$/gm)]
        .map(([, sentAt, receivedAt]) => (Number(receivedAt) - Number(sentAt)) * 1000)
        .sort((a, b) => a - b);
      return {
        meanMs: delaysMs.reduce((sum, delay) => sum + delay, 0) / delaysMs.length,
        p99Ms: delaysMs[Math.floor(delaysMs.length * 0.99)] ?? Number.NaN,
      };
    },
    async avalanche(family, guests) {
      const text = await report([`-${family}`, '--scenario', 'avalanche', '-R', `${guests}`, '-M', macs]);
      const [, hours, minutes, seconds] = /It took (\d+):(\d+):([\d.]+) to provision/.exec(text) ?? [];
      return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
    },
    async [Symbol.asyncDispose]() {
      process.off('exit', leaveNothing);
      leaveNothing();
    },
  };
}

/** Processor time, as `times` reports it of a shell's children. */
function childSeconds(text: string): number {
  const [user = '', system = ''] = text.trim().split('\n').at(-1)?.split(' ') ?? [];
  return [user, system].reduce((sum, word) => {
    const [, minutes, seconds] = /^(\d+)m([\d.]+)s$/.exec(word) ?? [];
    return sum + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
  }, 0);
}

async function removeNamespaces(): Promise<void> {
  for (const netns of [serverNs, clientNs]) await run('sh', ['-c', removal(netns)]);
}

function removal(netns: string): string {
  return `[ -e /run/netns/${netns} ] || exit 0; ip netns pids ${netns} | xargs -r kill -9; ip netns del ${netns}`;
}
