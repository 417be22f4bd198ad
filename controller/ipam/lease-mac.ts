import type { PodLease } from '../features/tables.ts';
import { type Address, addressesOf, macOf } from './address.ts';

/**
 * The MAC of a NIC that had `before`, if it had a port, and is asked for `asked`; undefined when it is the one made of its addresses. What
 * is asked for counts when the NIC is new, but a MAC that was made of an address goes with it.
 */
export function leaseMac(
  before: string | undefined,
  asked: string | undefined,
  addresses: readonly Address[],
): string | undefined {
  const kept = before !== undefined && isMadeMac(before) && !isOwnMac(before, addresses) ? undefined : before;
  const mac = kept ?? asked;
  return mac === undefined || mac === madeMac(addresses) ? undefined : mac;
}

/** The MAC its port has, if it has one. */
export function macInUse({ ips, mac, awaitsMac }: PodLease): string | undefined {
  return awaitsMac ? undefined : (mac ?? madeMac(addressesOf(ips)));
}

/** The MAC of whoever asks for none. */
export function madeMac(addresses: readonly Address[]): string | undefined {
  const first = addresses.find(({ family }) => family === 4) ?? addresses[0];
  return first && macOf(first);
}

/** Whether `macOf` makes such MACs. */
export function isMadeMac(mac: string): boolean {
  return /^0a:5[89]:/.test(mac);
}

/** Whether the MAC is the one that goes with an address the NIC has or asks for. */
export function isOwnMac(mac: string, addresses: readonly Address[]): boolean {
  return addresses.some((address) => macOf(address) === mac);
}
