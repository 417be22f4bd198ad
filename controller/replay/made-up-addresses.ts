import { createHash } from 'node:crypto';
import type { Key } from '../engine/table.ts';
import type { Tables } from '../features/tables.ts';
import { type Cidr, formatAddress, parseCidr } from '../ipam/address.ts';
import type { FormerAddresses, FormerLedger } from '../ipam/allocator.ts';

/**
 * Addresses of ports that nobody recorded any of. A cluster gives the next free one, which depends on who was there before; here they
 * are made of the name of the claim or the port, so that a part of a recording shows the same rows as the whole of it. What is
 * recorded, asked for or `known` counts first; one that somebody else has is replaced by the next free one, as ever.
 */
export class MadeUpAddresses implements FormerLedger {
  readonly #tables: Tables;
  readonly #known: Map<Key, FormerAddresses>;

  constructor(tables: Tables, known: Map<Key, FormerAddresses>) {
    this.#tables = tables;
    this.#known = known;
  }

  get(port: Key): FormerAddresses | undefined {
    return this.#known.get(port) ?? this.#madeUp(port);
  }

  /** Whether the port had them before: those come first. */
  has(port: Key): boolean {
    return this.#known.has(port);
  }

  delete(port: Key): boolean {
    return this.#known.delete(port);
  }

  #madeUp(port: Key): FormerAddresses | undefined {
    const nic = this.#tables.nics.get(port);
    const [segment] = (nic && this.#tables.networkPlans.get(nic.network)?.segments) ?? [];
    if (nic === undefined || segment === undefined) return undefined;
    const { request, formerIps, object, claim, broughtClaim } = nic;
    if (request.ips.length > 0 || request.complaint !== undefined || formerIps.length > 0) return undefined;
    const subnets = segment.subnets.flatMap(({ cidr }) => parseCidr(cidr) ?? []);
    // What a guest brought along from another namespace it was given there.
    const offset = offsetIn(subnets, broughtClaim ?? (claim ? `${claim.namespace}/${claim.name}` : port));
    if (offset === undefined) return undefined;
    return {
      uid: object.uid,
      ips: subnets.map(({ family, first }) => formatAddress({ family, value: first + offset })),
    };
  }
}

/** Behind the network's own address and the usual gateway's, and before the broadcast address; the same in each subnet. */
function offsetIn(subnets: readonly Cidr[], what: string): bigint | undefined {
  const smallest = subnets.map(({ size }) => size).reduce((a, b) => (a < b ? a : b), 1n << 32n);
  const room = smallest - 3n;
  if (room <= 0n) return undefined;
  return 2n + (createHash('sha256').update(what).digest().readBigUInt64BE() % room);
}
