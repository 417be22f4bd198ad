/** What was counted: `dhcpv4.received.DISCOVER` → 12. Names come from closed lists, never from packets. */
export type Tally = ReadonlyMap<string, number>;

export class Counter {
  readonly #counts = new Map<string, number>();

  count(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  get tally(): Tally {
    return this.#counts;
  }
}

/** `prefix` before each name, put together once: doing it for each packet costs more than the counting. */
export function eventNames(prefix: string, names: readonly string[]): readonly string[] {
  return names.map((name) => `${prefix}.${name || 'other'}`);
}

/** Names for option 53 and for DHCPv6 message types, as the RFCs write them. */
export const messageName4: readonly string[] = [
  '',
  'DISCOVER',
  'OFFER',
  'REQUEST',
  'DECLINE',
  'ACK',
  'NAK',
  'RELEASE',
  'INFORM',
];
export const messageName6: readonly string[] = [
  '',
  'SOLICIT',
  'ADVERTISE',
  'REQUEST',
  'CONFIRM',
  'RENEW',
  'REBIND',
  'REPLY',
  'RELEASE',
  'DECLINE',
  'RECONFIGURE',
  'INFORMATION-REQUEST',
  'RELAY-FORW',
  'RELAY-REPL',
];
