import { attachDirectTap } from './attachments/direct-tap.ts';
import { attachManagedTap } from './attachments/managed-tap.ts';
import { directTapBinding } from './controller/launcher-pod.ts';
import type { VirtualMachineInstance } from './objects.ts';

/** A NIC of the guest that is ready for QEMU. */
export interface Attachment {
  /** The tap, in the network namespace `netns` (a name under /run/netns). */
  readonly tap: string;
  readonly netns: string;
  readonly mac: string;
  /** Takes away what attaching made, as far as it does not go with the pod's namespace. */
  detach(): Promise<void>;
}

/** Sets up a VMI's NICs in the sandbox of one of its launcher pods, as virt-handler does. */
export type Attach = (
  vmi: VirtualMachineInstance,
  sandbox: { readonly netns: string },
) => Promise<readonly Attachment[]>;

/**
 * How the NICs of VMIs are attached on one node: a `hawser-tap` interface asks the node agent for a tap on `br-int`, every
 * other one is `domainAttachmentType: managedTap`.
 *
 * @param agentSocket unix socket of the node agent
 */
export function attachOnNode(agentSocket: string): Attach {
  return (vmi, { netns }) => {
    const { namespace, name } = vmi.metadata;
    return Promise.all(
      (vmi.spec.domain.devices.interfaces ?? []).map((nic, index) => {
        // Names of secondary NICs: docs/bus.md for the port, KubeVirt's hash for the pod's interface.
        if (index > 0) throw new Error(`${namespace}/${name}: the lab attaches one NIC, not ${nic.name} as well`);
        return nic.binding?.name === directTapBinding
          ? attachDirectTap(agentSocket, `vm/${namespace}/${name}`, netns)
          : attachManagedTap(netns, nic.macAddress);
      }),
    );
  };
}
