import { writeFile } from 'node:fs/promises';
import { CommandFailed, type Run } from '../commands.ts';
import type { PortRequest } from '../port-request.ts';
import type { PodNic } from './pod-nic.ts';

/** One veth pair between this node and a pod's network namespace. */
export interface VethPair {
  /** Name of the node's end, the port of `br-int`. */
  readonly hostDevice: string;
  readonly hostMac: string;
  /** Path of the pod's network namespace, e.g. `/run/netns/cni-0f3b…`. */
  readonly netns: string;
  /** Name of the pod's end. */
  readonly interfaceName: string;
}

export interface PlumbingOptions {
  readonly run: Run;
  /**
   * Whether the datapath of `br-int` completes checksums that the kernel left to hardware. The userspace datapath does not: it gets
   * such frames from AF_PACKET as they are, so the pod's kernel must compute them. On the node's end only the datapath sends.
   */
  readonly checksumOffload: boolean;
  readonly signal?: AbortSignal;
}

/**
 * What can be done with the node's end while the pod's end is still being set up. It is awaited in any case, so that whoever is
 * told of a failure can undo it.
 */
export type WithHostDevice = () => Promise<void>;

/** The pod already has an interface of the wanted name, and it is not a leftover of ours. */
export class InterfaceNameTaken extends Error {
  override readonly name = 'InterfaceNameTaken';

  constructor(interfaceName: string, netns: string) {
    super(`an interface named ${interfaceName} already exists in ${netns}`);
  }
}

/**
 * Makes the pair, the node's end up and mute, the pod's end as its kind wants it. A leftover node's end of an earlier try is
 * replaced.
 *
 * All of it is one process: starting one is most of the time that plumbing takes. `withHostDevice` runs beside its second half.
 */
export async function makeVethPair(
  pair: VethPair,
  request: PortRequest,
  nic: PodNic,
  options: PlumbingOptions,
  withHostDevice: WithHostDevice = async () => {},
): Promise<void> {
  const { run } = options;
  try {
    await makeOnce(pair, request, nic, options, withHostDevice);
  } catch (error) {
    if (!isTaken(error)) throw error;
    if (!(await deleteDevice(run, pair.hostDevice))) throw new InterfaceNameTaken(pair.interfaceName, pair.netns);
    await makeOnce(pair, request, nic, options, withHostDevice).catch((again: unknown) => {
      throw isTaken(again) ? new InterfaceNameTaken(pair.interfaceName, pair.netns) : again;
    });
  }
}

/**
 * Deletes a device of this node (a veth pair's end takes the pod's end with it).
 * @returns false when there was none of that name.
 */
export async function deleteDevice(run: Run, device: string): Promise<boolean> {
  try {
    await run('ip', ['link', 'delete', 'dev', device]);
    return true;
  } catch (error) {
    if (error instanceof CommandFailed && error.stderr.includes('Cannot find device')) return false;
    throw error;
  }
}

/** Keeps this node's kernel from speaking IPv6 on a device that belongs to a pod or guest. */
export async function silenceDevice(device: string): Promise<void> {
  await writeFile(`/proc/sys/net/ipv6/conf/${device}/disable_ipv6`, '1').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error; // a kernel without IPv6 says nothing anyway
  });
}

async function makeOnce(
  pair: VethPair,
  request: PortRequest,
  nic: PodNic,
  options: PlumbingOptions,
  withHostDevice: WithHostDevice,
): Promise<void> {
  const { run, signal } = options;
  let beside: Promise<void> | undefined;
  const script = run('sh', ['-c', makeScript(pair, request, nic, options)], {
    label: `plumbing of ${pair.interfaceName} in ${pair.netns}`,
    onOutput: () => {
      beside ??= withHostDevice();
      beside.catch(() => {}); // It is awaited below, but perhaps not yet.
    },
    ...(signal && { signal }),
  });
  try {
    await script;
  } finally {
    await Promise.allSettled([beside]);
  }
  await beside;
}

/**
 * The script that makes a pair. It prints one line when the node's end is there and mute, and nothing else. The pod's end comes up
 * last, so nothing of the pod's kernel is on the wire before everything but its offloads is set. Every value in it is one plain word:
 * `parsePortBinding` and `parseRequest` let nothing else through.
 */
export function makeScript(
  { hostDevice, hostMac, netns, interfaceName }: VethPair,
  { mac, mtuBytes }: PortRequest,
  nic: PodNic,
  { checksumOffload }: Pick<PlumbingOptions, 'checksumOffload'>,
): string {
  const inPod = [
    'set -e',
    ...Object.entries(nic.ipv6).map(([key, value]) => setIPv6(interfaceName, key, value)),
    ...(nic.devices ?? []).map((device) => `ip link delete dev ${device} 2> /dev/null || true`),
    ...(checksumOffload ? [] : [`ethtool -K ${interfaceName} tx off > /dev/null & ethtool=$!`]),
    'ip -batch -',
    ...(nic.tc ?? []).map((line) => `tc ${line}`),
    ...(checksumOffload ? [] : ['wait $ethtool']),
  ];
  return [
    'set -e',
    `ip -batch - << 'END' || exit ${notCreated}`,
    `link add name ${hostDevice} address ${hostMac} mtu ${mtuBytes} type veth` +
      ` peer name ${interfaceName} address ${mac} mtu ${mtuBytes} netns ${netns}`,
    `link set dev ${hostDevice} addrgenmode none`,
    `link set dev ${hostDevice} up`,
    'END',
    setIPv6(hostDevice, 'disable_ipv6', 1),
    `echo ${hostDevice}`,
    `exec nsenter --net=${netns} sh -c '${inPod.join('\n')}' << 'END'`,
    ...nic.ip,
    'END',
  ].join('\n');
}

/** A kernel without IPv6 has no such file, and nothing to be set. */
function setIPv6(device: string, key: string, value: number): string {
  const file = `/proc/sys/net/ipv6/conf/${device}/${key}`;
  return `if [ -e ${file} ]; then echo ${value} > ${file}; fi`;
}

function isTaken(error: unknown): boolean {
  return error instanceof CommandFailed && error.status === notCreated && error.stderr.includes('File exists');
}

/** Status of the script when the pair itself could not be made. */
const notCreated = 17;
