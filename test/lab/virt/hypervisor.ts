import { join } from 'node:path';
import type { GuestImage } from '#test/lab/guest/guest.ts';
import { type Machine, startMachine } from '#test/lab/qemu/machine.ts';
import type { Attachment } from './attachments.ts';

/** What starts a launcher's domain; the real one is QEMU. */
export type Hypervisor = (domain: DomainRequest) => Promise<Machine>;

export interface DomainRequest {
  /** Unique: the launcher pod's name. */
  readonly name: string;
  readonly attachments: readonly Attachment[];
  readonly memoryMiB: number;
  /** The domain waits for a guest that migrates to it. */
  readonly incoming?: { readonly postCopy: boolean };
}

/**
 * QEMU with the lab's guest.
 *
 * @param folder for sockets and logs, one folder below it per domain; short, for the sockets' sake
 * @param env what marks a process as the lab's
 */
export function qemuHypervisor(options: {
  readonly image: GuestImage;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}): Hypervisor {
  let count = 0;
  return ({ name, attachments, memoryMiB, incoming }) => {
    const [first] = attachments;
    if (!first) throw new Error(`${name} has no NIC`);
    return startMachine({
      name,
      folder: join(options.folder, `q${count++}`),
      place: { netns: first.netns, env: options.env },
      image: options.image,
      nics: attachments,
      memoryMiB,
      ...(incoming && { incoming }),
    });
  };
}
