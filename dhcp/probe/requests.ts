import { be16, concat, macBytes } from '../wire/bytes.ts';
import { type Dhcpv4Message, encodeDhcpv4, MessageType } from '../wire/dhcpv4-message.ts';
import { encodeDhcpv6, MessageType6 } from '../wire/dhcpv6-message.ts';
import { optionName4, optionName6 } from '../wire/option-names.ts';

// What the probe asks.

/** PAD, END, and what is no business of a parameter request list. */
const notAsked = [0, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 61, 80, 82, 255];

/**
 * DISCOVER from `mac`; it binds nothing, since nothing is ever requested. It asks for every option there is, those with a name first:
 * should there be no room for all, others go.
 */
export function discover(mac: string, xid: number): Uint8Array {
  const all = [...optionName4.keys(), ...Array(255).keys()];
  const codes = [...new Set(all)].filter((code) => !notAsked.includes(code));
  return encodeDhcpv4({
    ...emptyRequest(mac, xid),
    options: new Map([
      [53, Uint8Array.of(MessageType.discover)],
      [57, be16(1472)],
      [55, Uint8Array.from(codes)],
    ]),
  });
}

export function emptyRequest(mac: string, xid: number): Dhcpv4Message {
  const nothing = new Uint8Array();
  return {
    op: 1,
    hops: 0,
    xid,
    secs: 0,
    flags: 0,
    ciaddr: 0,
    yiaddr: 0,
    siaddr: 0,
    giaddr: 0,
    chaddr: mac,
    sname: nothing,
    file: nothing,
    options: new Map(),
  };
}

/** SOLICIT with DUID-LL and one IA_NA, which asks for every option that has a name, and for `codes`. */
export function solicit(mac: string, transactionId: number, codes: readonly number[] = []): Uint8Array {
  return encodeDhcpv6({
    type: MessageType6.solicit,
    transactionId,
    options: [
      { code: 1, content: concat(be16(3, 1), macBytes(mac)) },
      { code: 3, content: concat(be16(0, 1), new Uint8Array(8)) },
      { code: 8, content: be16(0) },
      { code: 6, content: be16(...optionName6.keys(), ...codes) },
    ],
  });
}

/** Router solicitation with the source link-layer address, checksum zero. */
export function routerSolicitation(mac: string): Uint8Array {
  return concat(Uint8Array.of(133, 0, 0, 0, 0, 0, 0, 0, 1, 1), macBytes(mac));
}
