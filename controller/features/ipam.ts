import type { Feature } from '../engine/engine.ts';
import { derived, type Fact, problem } from '../engine/facts.ts';
import { contains, formatAddress, macOf, parseAddress, parseCidr } from '../ipam/address.ts';
import type { NetworkPlan, Nic, Tables } from './tables.ts';

/**
 * Which addresses a NIC has: those of its claim for a VM, those of its lease for a pod. Giving addresses away is the allocator's
 * (ipam/allocator.ts); here they are only read, so that a restart and a fresh start see the same.
 */
export function ipam(tables: Tables): Feature<Nic> {
  return {
    name: 'ipam',
    from: tables.nics,
    *facts(port, nic, read) {
      const plan = read.get(tables.networkPlans, nic.network);
      if (plan === undefined) {
        yield problem(nic.object, 'NetworkReady', `there is no usable network ${nic.network} for ${port} yet`);
        return;
      }
      let ips: readonly string[];
      if (nic.claim === undefined) {
        const lease = read.get(tables.podLeases, port);
        if (lease === undefined || lease.uid !== nic.object.uid || lease.network !== nic.network) return;
        ips = lease.ips;
      } else {
        const name = `${nic.claim.namespace}/${nic.claim.name}`;
        const claim = read.get(tables.claims, name);
        if (claim === undefined) return;
        if (claim.owner?.uid !== nic.object.uid) {
          const owner = claim.owner ? `${claim.owner.kind} ${claim.owner.name} (${claim.owner.uid})` : 'nobody';
          yield problem(
            nic.object,
            'AddressesReady',
            `IPAMClaim ${name} belongs to ${owner}; it has to go before this ${nic.object.kind} can have it`,
          );
          return;
        }
        ips = claim.ips.map((text) => text.split('/')[0] ?? text);
      }
      yield* addressFacts(tables, port, nic, plan, ips);
    },
  };
}

function* addressFacts(
  tables: Tables,
  port: string,
  nic: Nic,
  plan: NetworkPlan,
  ips: readonly string[],
): Iterable<Fact> {
  const ordered: string[] = [];
  for (const { family, cidr } of plan.subnets) {
    const subnet = parseCidr(cidr);
    const address = ips.map(parseAddress).find((candidate) => candidate && subnet && contains(subnet, candidate));
    // Half-allocated is not allocated: a guest that got one family would keep trying for the other.
    if (address === undefined || address.family !== family) return;
    ordered.push(formatAddress(address));
  }
  const first = parseAddress(ordered[0] ?? '');
  if (first === undefined) return;
  yield derived(tables.addresses, port, { mac: nic.requestedMac ?? macOf(first), ips: ordered });
}
