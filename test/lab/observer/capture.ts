import type { Place } from '../topology/command.ts';
import { startTcpdump, type Tcpdump } from './tcpdump.ts';

/**
 * Records the packets of one interface in a pcap file until it is stopped, for a look afterwards (`tcpdump -r FILE`).
 *
 * @param filter pcap-filter(7); everything when empty.
 */
export function startCapture(
  place: Place,
  what: { readonly interface: string; readonly file: string; readonly filter?: string },
): Promise<Tcpdump> {
  const filter = what.filter ? [what.filter] : [];
  return startTcpdump(place, ['-i', what.interface, '-w', what.file, ...filter], () => {});
}
