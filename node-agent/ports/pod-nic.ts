import type { PortRequest } from '../port-request.ts';

/** What a kind of port wants of the NIC in the pod's network namespace. A pure value: `veth-pair.ts` builds it. */
export interface PodNic {
  /** Key below `net.ipv6.conf.<interface>` → value, set while the NIC is still down. Ignored where the kernel has no IPv6. */
  readonly ipv6: Readonly<Record<string, number>>;
  /** Lines for `ip -batch` in the pod's namespace, in order; they end with the NIC up. */
  readonly ip: readonly string[];
  /** Devices that this kind makes beside the NIC: leftovers of an earlier try by these names are deleted first. */
  readonly devices?: readonly string[];
  /** Arguments of `tc` in the pod's namespace, one command each, run last. */
  readonly tc?: readonly string[];
}

export interface PodNicOptions {
  /** UID and GID that own taps in the pod. */
  readonly tapOwner: number;
}

/** One kind of port that ends in a pod's network namespace. */
export type PodNicKind = (request: PortRequest, interfaceName: string, options: PodNicOptions) => PodNic;
