import { addressBytes } from '../address.ts';
import { macAt, u16 } from '../wire/bytes.ts';
import type { Dhcpv6Option, Dhcpv6Packet } from '../wire/dhcpv6-message.ts';

/** What the transport knows about the sender of a packet. */
export interface Dhcpv6Arrival {
  /** The Ethernet source; undefined on a socket. */
  readonly sourceMac?: string | undefined;
  /** The IPv6 source, without zone. */
  readonly sourceAddress: string;
}

/**
 * The Ethernet address a packet is to be believed to come from: what the trusted relay nearest the client saw (RFC 6939),
 * else the frame's source, else the address in an EUI-64 link-local source, to which the answer then goes. A client DUID is
 * no proof of anything (cloned images share them) and counts only where `trustDuid` says so.
 */
export function identify(
  { relays, message }: Dhcpv6Packet,
  { sourceMac, sourceAddress }: Dhcpv6Arrival,
  trustDuid: boolean,
): string | undefined {
  const nearestClient = relays.at(-1);
  if (nearestClient !== undefined) {
    const seen = optionOf(nearestClient.options, 79);
    if (seen?.length === 8 && u16(seen, 0) === 1) return macAt(seen, 2);
    return trustDuid ? macOfDuid(optionOf(message.options, 1)) : macOfEui64(nearestClient.peerAddress);
  }
  if (sourceMac !== undefined) return sourceMac;
  return (trustDuid ? macOfDuid(optionOf(message.options, 1)) : undefined) ?? macOfEui64(addressBytes(sourceAddress));
}

export function optionOf(options: readonly Dhcpv6Option[], code: number): Uint8Array | undefined {
  for (const option of options) if (option.code === code) return option.content;
  return undefined;
}

/** DUID-LLT and DUID-LL over Ethernet hold one (RFC 9915 §11.2, §11.4). */
function macOfDuid(duid: Uint8Array | undefined): string | undefined {
  if (duid === undefined || u16(duid, 2) !== 1) return undefined;
  if (u16(duid, 0) === 1 && duid.length === 14) return macAt(duid, 8);
  return u16(duid, 0) === 3 && duid.length === 10 ? macAt(duid, 4) : undefined;
}

function macOfEui64(address: Uint8Array): string | undefined {
  if (u16(address, 0) !== 0xfe80 || u16(address, 11) !== 0xfffe) return undefined;
  const at = (i: number): number => address[i] ?? 0;
  return macAt(Uint8Array.of(at(8) ^ 2, at(9), at(10), at(13), at(14), at(15)), 0);
}
