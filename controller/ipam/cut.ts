import type { Address, Cidr } from './address.ts';

/** Ports a logical switch can have (OVN's 15-bit port key), less the one of its router and that of a DHCP server of ours. */
export const portsPerSegment = 32_765;

/** One subnet cut into equal slices, one for each of a run of segments. */
export interface Cut {
  readonly cidr: Cidr;
  readonly firstSegment: number;
  readonly segments: number;
}

/** Of an IPv6 subnet beside no IPv4 one, whose size says nothing of how many guests are to come. */
const lonelyIpv6Bits = 6;
const mostBits = 12;

/**
 * How a pair of subnets is spread over segments, at most one subnet of each family. An address says which segment it is of, so that a port is on
 * the same switch with the same gateway for as long as it has its address, and no table of who is where is needed.
 *
 * `addressBits`: a segment has 2^addressBits IPv4 addresses. `keepsSixtyFour`: guests form IPv6 addresses themselves (SLAAC),
 * for which a prefix has to have 64 bits.
 */
export function cut(
  subnets: readonly Cidr[],
  addressBits: number,
  {
    firstSegment = 0,
    keepsSixtyFour = false,
  }: { readonly firstSegment?: number; readonly keepsSixtyFour?: boolean } = {},
): readonly Cut[] {
  const hostBits = (cidr: Cidr) => (cidr.family === 4 ? 32 : 128) - cidr.prefixLength;
  const leading = subnets.find(({ family }) => family === 4);
  let bits = leading === undefined ? lonelyIpv6Bits : Math.max(0, hostBits(leading) - addressBits);
  for (const cidr of subnets) {
    const kept = cidr.family === 6 && keepsSixtyFour ? 64 : Math.min(addressBits, hostBits(cidr));
    bits = Math.min(bits, Math.max(0, hostBits(cidr) - kept), mostBits);
  }
  return subnets.map((cidr) => ({ cidr, firstSegment, segments: 2 ** bits }));
}

/** The slice of one segment; undefined when the cut has none for it. */
export function sliceOf({ cidr, firstSegment, segments }: Cut, segment: number): Cidr | undefined {
  const position = segment - firstSegment;
  if (position < 0 || position >= segments) return undefined;
  const size = cidr.size / BigInt(segments);
  return {
    family: cidr.family,
    size,
    first: cidr.first + BigInt(position) * size,
    prefixLength: cidr.prefixLength + Math.log2(segments),
  };
}

/** The segment an address is of; undefined when it is in none of the subnets. */
export function segmentOf(cuts: readonly Cut[], { family, value }: Address): number | undefined {
  for (const { cidr, firstSegment, segments } of cuts) {
    const offset = value - cidr.first;
    if (cidr.family !== family || offset < 0n || offset >= cidr.size) continue;
    return firstSegment + Number(offset / (cidr.size / BigInt(segments)));
  }
  return undefined;
}
