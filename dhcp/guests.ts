import type { GuestSettings } from './settings.ts';

/** One guest NIC and what it is told. Addresses are in canonical spelling, of both families, none twice. */
export interface GuestBinding {
  /** Ethernet address, lower case with colons; the identity of a guest everywhere in here. */
  readonly mac: string;
  readonly addresses: readonly string[];
  /** Used unless `settings.hostName` is set. */
  readonly hostName?: string;
  /** The network's settings with the VM's own merged in. */
  readonly settings: GuestSettings;
}

export type GuestChanged = (mac: string, before: GuestBinding | undefined) => void;

/** The guests an agent answers for, as they are now, and word of each change. Nobody else's guests are in here. */
export interface Guests {
  readonly byMac: ReadonlyMap<string, GuestBinding>;
  /** Calls `changed` for each guest that came, changed or went, with what it was before; returns how to stop. */
  subscribe(changed: GuestChanged): () => void;
}

/** One layer-2 segment a server answers on. The same on every node, so that any node may answer for a guest. */
export interface Segment {
  readonly name: string;
  /** Prefixes on the link, of both families. */
  readonly subnets: readonly string[];
  /** Routers of the segment, of both families. */
  readonly gateways: readonly string[];
  /** MTU in bytes. */
  readonly mtu?: number;
  /** Server identifier of DHCPv4 (option 54); without one DHCPv4 is not served. */
  readonly serverId?: string;
  /** DHCPv6 server DUID; the same on every node, so that a guest's renewal is understood after it moved. */
  readonly serverDuid: Uint8Array;
  /** Relays that may ask for guests of this segment, by their address (giaddr, or source address in DHCPv6). */
  readonly relays: readonly string[];
  /** Whether a client DUID that holds a link-layer address (RFC 9915 §11) may stand for it. Anyone can forge one. */
  readonly trustDuid: boolean;
}

/** Guests by their Ethernet address, set and deleted one by one. */
export class GuestBook implements Guests {
  readonly #byMac = new Map<string, GuestBinding>();
  readonly #listeners = new Set<GuestChanged>();

  constructor(guests: Iterable<GuestBinding> = []) {
    for (const guest of guests) this.#byMac.set(guest.mac, guest);
  }

  get byMac(): ReadonlyMap<string, GuestBinding> {
    return this.#byMac;
  }

  subscribe(changed: GuestChanged): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  set(guest: GuestBinding): void {
    const before = this.#byMac.get(guest.mac);
    this.#byMac.set(guest.mac, guest);
    this.#tell(guest.mac, before);
  }

  delete(mac: string): void {
    const before = this.#byMac.get(mac);
    if (this.#byMac.delete(mac)) this.#tell(mac, before);
  }

  #tell(mac: string, before: GuestBinding | undefined): void {
    for (const listener of this.#listeners) listener(mac, before);
  }
}
