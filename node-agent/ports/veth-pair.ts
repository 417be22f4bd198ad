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
   * Whether the datapath of `br-int` completes checksums that the kernel left to hardware. The userspace datapath does not: it
   * gets such frames from AF_PACKET as they are, so both ends must compute them (ovs-ctl's CONFIGURE_VETH_OFFLOADS).
   */
  readonly checksumOffload: boolean;
  readonly signal?: AbortSignal;
}

/** The pod already has an interface of the wanted name, and it is not a leftover of ours. */
export class InterfaceNameTaken extends Error {
  override readonly name = 'InterfaceNameTaken';

  constructor(interfaceName: string, netns: string) {
    super(`an interface named ${interfaceName} already exists in ${netns}`);
  }
}

/**
 * Creates the pair with the node's end up and the pod's end still down, so nothing can pass yet. A leftover node's end of an
 * earlier try is replaced.
 */
export async function createVethPair(pair: VethPair, request: PortRequest, options: PlumbingOptions): Promise<void> {
  const batch = createLines(pair, request);
  try {
    await ipBatch(options, batch);
  } catch (error) {
    if (!(error instanceof CommandFailed && error.stderr.includes('File exists'))) throw error;
    if (!(await deleteDevice(options.run, pair.hostDevice)))
      throw new InterfaceNameTaken(pair.interfaceName, pair.netns);
    await ipBatch(options, batch).catch((again: unknown) => {
      const taken = again instanceof CommandFailed && again.stderr.includes('File exists');
      throw taken ? new InterfaceNameTaken(pair.interfaceName, pair.netns) : again;
    });
  }
  await silenceDevice(pair.hostDevice);
}

/** Gives the node's end the offloads that suit the datapath. */
export async function configureHostEnd({ hostDevice }: VethPair, options: PlumbingOptions): Promise<void> {
  if (!options.checksumOffload) await options.run('ethtool', ['-K', hostDevice, 'tx', 'off']);
}

/** Gives the pod's end what its kind wants, and brings it up. */
export async function configurePodEnd(pair: VethPair, nic: PodNic, options: PlumbingOptions): Promise<void> {
  await options.run(
    'nsenter',
    [`--net=${pair.netns}`, 'sh', '-c', podEndScript(nic, options), 'sh', pair.interfaceName],
    {
      stdin: `${nic.ip.join('\n')}\n`,
      ...(options.signal && { signal: options.signal }),
    },
  );
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

export function createLines(
  { hostDevice, hostMac, netns, interfaceName }: VethPair,
  { mac, mtuBytes }: PortRequest,
): string[] {
  return [
    `link add name ${hostDevice} address ${hostMac} mtu ${mtuBytes} type veth` +
      ` peer name ${interfaceName} address ${mac} mtu ${mtuBytes} netns ${netns}`,
    `link set dev ${hostDevice} addrgenmode none`,
    `link set dev ${hostDevice} up`,
  ];
}

/** For `sh`, with the interface name as `$1`; `ip` reads its lines from the same standard input. */
export function podEndScript(nic: PodNic, { checksumOffload }: Pick<PlumbingOptions, 'checksumOffload'>): string {
  return [
    'set -e',
    ...Object.entries(nic.ipv6).map(
      ([key, value]) =>
        `if [ -e "/proc/sys/net/ipv6/conf/$1/${key}" ]; then echo ${value} > "/proc/sys/net/ipv6/conf/$1/${key}"; fi`,
    ),
    ...(checksumOffload ? [] : ['ethtool -K "$1" tx off > /dev/null']),
    'exec ip -batch -',
  ].join('\n');
}

function ipBatch({ run, signal }: PlumbingOptions, lines: readonly string[]): Promise<string> {
  return run('ip', ['-batch', '-'], { stdin: `${lines.join('\n')}\n`, ...(signal && { signal }) });
}
