import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { createServer, Socket } from 'node:net';
import { availableParallelism, constants, setPriority } from 'node:os';
import { join } from 'node:path';
import type { GuestImage } from '#test/lab/guest/guest.ts';
import type { Place } from '#test/lab/topology/command.ts';
import { Daemon } from '#test/lab/topology/daemon.ts';
import { workingAccelerator } from './accelerator.ts';
import { finishIncoming, type MigrateOptions, type Migration, migrate, prepareIncoming } from './migration.ts';
import { QmpClient } from './qmp.ts';

/** A virtual machine that runs, or waits for its guest to arrive. */
export interface Machine {
  readonly name: string;
  /** Unix socket with a root shell on it: `socat -,raw,echo=0,escape=0x1d unix-connect:<path>`. */
  readonly consoleSocket: string;
  /** Unix socket of the guest's report port, for `askGuest`. */
  readonly reportSocket: string;
  /** Where a target listens for its source. */
  readonly migrationSocket: string;
  /** Sends the guest to a machine that was started with `incoming`, and goes through libvirt's phases with it. */
  migrateTo(target: Machine, options: MigrateOptions): Migration;
  /** libvirt's Finish: waits until the guest has arrived, or runs by post-copy, and lets it run. */
  finishIncoming(postCopy: boolean): Promise<void>;
  /** When the guest began to run here, in ms since the epoch; undefined when the machine ended before that. */
  untilRuns(): Promise<number | undefined>;
  untilEnd(): Promise<void>;
  /**
   * It is about to end: from now on it has the lowest priority. The kernel takes back a process's memory on that one's time and core, which on
   * the lab's one host are also the other guests'.
   */
  giveWay(): void;
  /** Ends it at once, as pulling the plug does, and removes its sockets. Nothing to do when it has ended. */
  kill(): Promise<void>;
}

export interface QemuMachine extends Machine {
  readonly qmp: QmpClient;
  readonly pid: number | undefined;
}

export interface MachineOptions {
  /** For messages, and QEMU's `-name`. */
  readonly name: string;
  /** Made for its sockets and log; keep it short, a unix socket's path ends at 107 bytes. */
  readonly folder: string;
  /** The network namespace that has the taps, and what to add to the environment. */
  readonly place: Place;
  readonly image: GuestImage;
  readonly nics: readonly MachineNic[];
  /** Slots into which `plugNic` puts further NICs while the guest runs; none when absent. */
  readonly freeSlots?: number;
  /** 128 when absent. */
  readonly memoryMiB?: number;
  /**
   * The machine is the target of a migration: it listens at `migrationSocket` and its guest does not run until
   * `finishIncoming`. `postCopy` has to be the same at both ends.
   */
  readonly incoming?: { readonly postCopy: boolean };
}

export interface MachineNic {
  /** A tap that exists in the namespace. */
  readonly tap: string;
  readonly mac: string;
}

/** Plugs a NIC into a free slot of a running guest, as libvirt does. */
export async function plugNic({ qmp }: QemuMachine, slot: number, { tap, mac }: MachineNic): Promise<void> {
  const netdev = `plugged${slot}`;
  await qmp.execute('netdev_add', {
    ...{ type: 'tap', id: netdev, ifname: tap, script: 'no', downscript: 'no', vhost: false },
  });
  const offloads = Object.fromEntries(offloadsOff.map((name) => [name, false]));
  await qmp.execute('device_add', {
    ...{ driver: 'virtio-net-pci', id: `nic-${netdev}`, netdev, mac, bus: freeSlot(slot), romfile: '', ...offloads },
  });
}

/** Asks the guest to let go of what `plugNic` plugged; resolves when it has. */
export async function unplugNic({ qmp }: QemuMachine, slot: number): Promise<void> {
  const netdev = `plugged${slot}`;
  const events = qmp.events();
  await qmp.execute('device_del', { id: `nic-${netdev}` });
  for await (const { name, data } of events) {
    if (name === 'DEVICE_DELETED' && Object(data).device === `nic-${netdev}`) break;
  }
  await qmp.execute('netdev_del', { id: netdev });
}

/** The upper half of a machine's cores: guests keep to them, whatever else runs there, too. */
export function guestCores(cores: number): string {
  return `${Math.floor(cores / 2)}-${cores - 1}`;
}

/**
 * Starts QEMU, in a process group of its own; resolves when it answers, which for a target is when it listens.
 * @throws Error with the end of QEMU's log when it does not start
 */
export async function startMachine(options: MachineOptions): Promise<QemuMachine> {
  const { name, folder, incoming } = options;
  const socket = (file: string): string => join(folder, file);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });

  // QEMU connects to us, so there is no moment to guess at which its socket would accept.
  const monitor = createServer().listen(socket('monitor'));
  await once(monitor, 'listening');
  let qmp: QmpClient | undefined;
  const daemon = new Daemon({
    ...options.place,
    name,
    command: 'taskset',
    args: [
      ...['--cpu-list', guestCores(availableParallelism()), 'qemu-system-x86_64'],
      ...commandLine(options, await workingAccelerator(), socket),
    ],
    logFile: socket('log'),
    ready: async (_pid, signal) => {
      const [connection] = await once(monitor, 'connection', { signal });
      if (connection instanceof Socket) qmp = await QmpClient.open(connection);
    },
  });
  try {
    await daemon.start();
  } finally {
    monitor.close();
  }
  if (!qmp) throw new Error(`${name} was ready without a monitor`);
  // On a host a vCPU has a core; here guests share two with a whole cluster, whose doings must not look like the network's. Not before now: to
  // start takes 100 ms of a core, which are the guests' that run and Open vSwitch's.
  if (daemon.pid !== undefined) setPriorityOfThreads(daemon.pid, constants.priority.PRIORITY_HIGHEST);

  const monitorClient = qmp;
  const runs = incoming ? untilResumed(monitorClient) : Promise.resolve(Date.now());
  const machine: QemuMachine = {
    name,
    qmp: monitorClient,
    get pid() {
      return daemon.pid;
    },
    consoleSocket: socket('console'),
    reportSocket: socket('report'),
    migrationSocket: socket('migration'),
    migrateTo: (target, how) => migrate(machine, target, how),
    finishIncoming: (postCopy) => finishIncoming(machine, postCopy),
    untilRuns: () => runs,
    untilEnd: () => daemon.untilEnd(),
    giveWay: () => {
      if (daemon.pid !== undefined) setPriorityOfThreads(daemon.pid, constants.priority.PRIORITY_LOW);
    },
    kill: async () => {
      machine.giveWay();
      await daemon.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
  if (incoming) await prepareIncoming(machine, incoming.postCopy);
  return machine;
}

function commandLine(
  { name, nics, freeSlots = 0, image, memoryMiB = 128, incoming }: MachineOptions,
  accelerator: string,
  socket: (file: string) => string,
): string[] {
  const serial = (id: string): string[] => [
    ...['-chardev', `socket,id=${id},path=${socket(id)},server=on,wait=off`],
    ...['-device', `isa-serial,chardev=${id}`],
  ];
  return [
    ...['-name', name, '-cpu', 'max', '-accel', accelerator],
    ...['-M', 'q35,memory-backend=pc.ram', '-m', String(memoryMiB)],
    // Memory that a migration found empty is otherwise cleared, 2 MiB at a time, when the guest first writes to it after RESUME.
    ...['-object', `memory-backend-ram,id=pc.ram,size=${memoryMiB}M,prealloc=on`],
    ...['-nodefaults', '-display', 'none', '-kernel', image.kernel, '-initrd', image.initrd],
    ...['-append', image.commandLine],
    ...serial('console'),
    ...serial('report'),
    ...['-qmp', `unix:${socket('monitor')}`],
    // For people; the lab does not use it.
    ...['-qmp', `unix:${socket('qmp')},server=on,wait=off`],
    ...nics.flatMap(({ tap, mac }, index) => [
      ...['-netdev', `tap,id=net${index},ifname=${tap},script=no,downscript=no,vhost=off`],
      // No boot ROM: the guest does not boot from the network. No `host_mtu`, which libvirt would set: the lab is to
      // show that the guest learns its MTU from the network.
      ...[
        '-device',
        `virtio-net-pci,netdev=net${index},mac=${mac},romfile=,${offloadsOff.map((name) => `${name}=off`)}`,
      ],
    ]),
    ...Array.from({ length: freeSlots }, (_, slot) => [
      '-device',
      `pcie-root-port,id=${freeSlot(slot)},chassis=${slot + 1},slot=${slot + 1}`,
    ]).flat(),
    // libvirt starts every target so; see migration.ts.
    ...(incoming ? ['-S', '-incoming', 'defer'] : []),
  ];
}

/**
 * Userspace Open vSwitch reads taps by AF_PACKET, which hands on frames whose checksum an offload left undone: small
 * packets would pass and TCP would hang.
 */
const offloadsOff = [
  ...['csum', 'gso', 'host_tso4', 'host_tso6', 'host_ecn', 'host_ufo'],
  ...['guest_csum', 'guest_tso4', 'guest_tso6', 'guest_ecn', 'guest_ufo'],
];

function freeSlot(slot: number): string {
  return `free${slot}`;
}

function setPriorityOfThreads(pid: number, priority: number): void {
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) setPriority(Number(thread), priority);
  } catch (error) {
    // It, or one of its threads, has ended meanwhile.
    if (!(error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ERR_SYSTEM_ERROR')))
      throw error;
  }
}

async function untilResumed(qmp: QmpClient): Promise<number | undefined> {
  for await (const event of qmp.events()) if (event.name === 'RESUME') return event.atMs;
  return undefined;
}
