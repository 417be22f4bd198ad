import { z } from 'zod';
import { CommandFailed, type Run } from '../commands.ts';
import { deleteDevice, silenceDevice } from './veth-pair.ts';

/** How a persistent tap is made; QEMU opens it with the same flags. */
export interface TapDevice {
  readonly device: string;
  readonly mtuBytes: number;
  /** For a VM with more than one queue per NIC; must match QEMU's `queues=`. */
  readonly multiQueue: boolean;
  /** UID and GID that may open it without privilege; KubeVirt's and libvirt's `qemu` is 107. */
  readonly owner: number;
}

/** A tap of the wanted name is in use by a process and has other flags than asked for. */
export class TapBusy extends Error {
  override readonly name = 'TapBusy';

  constructor(device: string) {
    super(`tap ${device} is open in a process and was made with another multi_queue flag`);
  }
}

/**
 * Makes sure that the tap is there and up. One that is already there with the same flags is kept as it is, for a guest may be
 * running on it; with other flags it is made anew if nobody has it open.
 */
export async function ensureTap(run: Run, tap: TapDevice): Promise<'kept' | 'made'> {
  const found = await showTap(run, tap.device);
  const isAsWanted = found?.multiQueue === tap.multiQueue;
  if (found && !isAsWanted) {
    if (found.isOpen) throw new TapBusy(tap.device);
    await deleteDevice(run, tap.device);
  }
  if (!isAsWanted) {
    await run('ip', ['-batch', '-'], { stdin: `${createTapLine(tap)}\nlink set dev ${tap.device} addrgenmode none\n` });
  }
  await silenceDevice(tap.device);
  await run('ip', ['link', 'set', 'dev', tap.device, 'mtu', String(tap.mtuBytes), 'up']);
  return isAsWanted ? 'kept' : 'made';
}

export interface TapState {
  readonly multiQueue: boolean;
  /** Whether a process (QEMU) has a queue of it open. */
  readonly isOpen: boolean;
}

/** @returns undefined when there is no tap of that name on this node. */
export async function showTap(run: Run, device: string): Promise<TapState | undefined> {
  let text: string;
  try {
    text = await run('ip', ['-json', '-details', 'link', 'show', 'dev', device]);
  } catch (error) {
    if (error instanceof CommandFailed && error.stderr.includes('does not exist')) return undefined;
    throw error;
  }
  return parseTap(text);
}

export function createTapLine({ device, multiQueue, owner }: TapDevice): string {
  return `tuntap add dev ${device} mode tap user ${owner} group ${owner} vnet_hdr${multiQueue ? ' multi_queue' : ''}`;
}

/** Reads `ip -json -details link show` of one device. */
export function parseTap(text: string): TapState | undefined {
  const [link] = linkList.parse(JSON.parse(text));
  const tun = link?.linkinfo?.info_data;
  if (tun?.type !== 'tap') return undefined;
  return { multiQueue: tun.multi_queue ?? false, isOpen: (tun.numqueues ?? 0) > 0 };
}

const linkList = z.array(
  z.object({
    linkinfo: z
      .object({
        info_data: z
          .object({
            type: z.string().optional(),
            multi_queue: z.boolean().optional(),
            numqueues: z.number().optional(),
          })
          .optional(),
      })
      .optional(),
  }),
);
