import { createHash } from 'node:crypto';

// Linux takes 15 characters. Twelve hex digits are 48 bits: with 250 ports on a node two names meet once in 10^10 nodes.

/** Name of the end of a pod's veth pair that is a port of `br-int`: the same for every retry of one ADD. */
export function podHostDevice(sandbox: string, interfaceName: string): string {
  return `hp${digest(sandbox, interfaceName)}`;
}

/** MAC of that end, so that nobody has to ask the kernel for it: locally administered, and of no interest to the pod. */
export function podHostMac(sandbox: string, interfaceName: string): string {
  const [a, b, c, d, e] = digest('mac', sandbox, interfaceName).match(/../g) ?? [];
  return ['0a', a, b, c, d, e].join(':');
}

/**
 * Name of a VM NIC's tap on `br-int`: equal on every node, because QEMU's target reads it from the source's domain.
 * @param ownerUid UID of the VM.
 * @param logicalPort `vm/<namespace>/<name>[/<nic>]`.
 */
export function tapDevice(ownerUid: string, logicalPort: string): string {
  const nic = logicalPort.split('/')[3] ?? '';
  return `ht${digest(ownerUid, nic)}`;
}

/** Names of the pair by which the server is on a segment. */
export function localportDevices(logicalPort: string): { readonly onBridge: string; readonly inside: string } {
  const name = digest('localport', logicalPort);
  return { onBridge: `hd${name}`, inside: `hg${name}` };
}

/** Every name `tapDevice` gives, and nobody else's. */
export const tapDevicePattern = /^ht[0-9a-f]{12}$/;

function digest(...words: readonly string[]): string {
  return createHash('sha256').update(words.join('\n')).digest('hex').slice(0, 12);
}
