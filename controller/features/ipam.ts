import type { Feature } from '../engine/engine.ts';
import { derived, type Fact, problem } from '../engine/facts.ts';
import { isSame } from '../engine/same.ts';
import { formatAddress, macOf, parseAddress } from '../ipam/address.ts';
import { isWithOthers, macKey } from '../ipam/allocator.ts';
import { segmentOf } from '../ipam/cut.ts';
import type { NetworkPlan, Nic, Tables } from './tables.ts';

/**
 * Which addresses a NIC has: those of its claim for a VM, those of its lease for a pod. Giving addresses away is the allocator's
 * (ipam/allocator.ts); here they are only read, so that a restart and a fresh start see the same.
 */
export function ipam(tables: Tables): Feature<Nic> {
  return {
    name: 'ipam',
    from: tables.nics,
    object: ({ object }) => object,
    *facts(port, nic, read) {
      const plan = read.get(tables.networkPlans, nic.network);
      if (plan === undefined) {
        yield problem(nic.object, 'NetworkReady', `there is no usable network ${nic.network} for ${port} yet`);
        return;
      }
      if (nic.claim === undefined) {
        const lease = read.get(tables.podLeases, port);
        if (lease === undefined || lease.uid !== nic.object.uid || lease.network !== nic.network) return;
        if (!lease.awaitsMac) yield* addressFacts(tables, port, nic, plan, lease.ips, lease.mac);
      } else {
        const name = [nic.claim.namespace, nic.claim.name].join('/');
        const own = read.get(tables.claims, name);
        const brought = nic.broughtClaim === undefined ? undefined : read.get(tables.claims, nic.broughtClaim);
        // What the guest brought along is its own from the moment it is here, before that is written down.
        const claim = own === undefined || own.ips.length === 0 ? brought : own;
        if (claim === undefined || claim.ips.length === 0) return;
        if (nic.broughtClaim !== undefined && claim !== brought && isSame(claim.ips, brought?.ips)) {
          yield derived(tables.takenClaims, nic.broughtClaim, name);
        }
        if (claim !== brought && claim.owner?.uid !== nic.object.uid) {
          const owner = claim.owner ? `${claim.owner.kind} ${claim.owner.name} (${claim.owner.uid})` : 'nobody';
          yield problem(
            nic.object,
            'AddressesReady',
            `IPAMClaim ${name} belongs to ${owner}; it has to go before this ${nic.object.kind} can have it`,
          );
          return;
        }
        const holder = read.get(tables.claimConflicts, name);
        if (isWithOthers(holder, nic)) {
          yield problem(nic.object, 'AddressConflict', `${claim.ips.join(' and ')} of IPAMClaim ${name}: ${holder}`);
          return;
        }
        const { mac } = nic.request;
        if (mac !== undefined && read.get(tables.macHolders, macKey(nic.network, mac)) !== port) return;
        const ips = claim.ips.map((text) => text.split('/')[0] ?? text);
        yield* addressFacts(tables, port, nic, plan, ips, mac);
      }
    },
  };
}

function* addressFacts(
  tables: Tables,
  port: string,
  nic: Nic,
  plan: NetworkPlan,
  ips: readonly string[],
  mac: string | undefined,
): Iterable<Fact> {
  const parsed = ips.map(parseAddress);
  const had = families.flatMap((family) => parsed.find((address) => address?.family === family) ?? []);
  // A network that has got another family since leaves its guests what they have.
  const ordered = had.filter(({ family }) => plan.families.includes(family));
  const found = new Set(ordered.map((address) => segmentOf(plan.cuts, address)));
  const [first] = had;
  const [index] = found;
  const segment = plan.segments[index ?? -1];
  if (found.size !== 1 || segment === undefined) {
    const why = found.size > 1 ? 'are not of one segment' : 'are not in the subnets';
    yield problem(nic.object, 'AddressesReady', `${ips.join(' and ')} ${why} of network ${plan.name}`);
    return;
  }
  if (first === undefined) return;
  const texts = ordered.map(formatAddress);
  yield derived(tables.addresses, port, {
    nic,
    mac: mac ?? macOf(first),
    // Mostly they are written so already: then the one text does for both.
    ips: isSame(texts, ips) ? ips : texts,
    segment: segment.key,
  });
}

/** In the order in which a port has its addresses, and the first of which its MAC is made of. */
const families = [4, 6] as const;
