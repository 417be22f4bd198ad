import type { GuestBinding } from '../guests.ts';
import { ascii, concat } from '../wire/bytes.ts';
import { encodedDomains } from '../wire/domain-name.ts';

export function hostNameOfGuest(guest: GuestBinding): string | undefined {
  return guest.settings.hostName ?? guest.hostName;
}

/** The full name when domain or `fqdn` is set, else the bare host name. */
export function nameOfGuest(guest: GuestBinding): string | undefined {
  const { fqdn, domain } = guest.settings;
  const hostName = hostNameOfGuest(guest);
  return fqdn ?? (hostName !== undefined && domain !== undefined ? `${hostName}.${domain}` : hostName);
}

// The network owns its DNS: guests are told that nobody updates it for them (N), and that we overrode a client that wanted
// the server to (O). S stays clear.
const noUpdate = 0x08;
const overridden = 0x02;

/** Reply to option 81 (RFC 4702 §2): flags, two obsolete codes of 255, the name in the encoding the client used (E). */
export function clientFqdnReply(guest: GuestBinding, request: Uint8Array): Uint8Array | undefined {
  const name = nameOfGuest(guest);
  const flags = request[0];
  if (name === undefined || flags === undefined || request.length < 3) return undefined;
  const inWireForm = (flags & 0x04) !== 0;
  const answer = noUpdate | (flags & 0x04) | ((flags & 0x01) !== 0 ? overridden : 0);
  return concat(Uint8Array.of(answer, 255, 255), inWireForm ? wireName(name) : ascii(name));
}

/** Reply to option 39 (RFC 4704 §4): flags N 4, O 2, S 1, then the name in wire form. */
export function clientFqdn6Reply(guest: GuestBinding, request: Uint8Array): Uint8Array | undefined {
  const name = nameOfGuest(guest);
  if (name === undefined || request.length < 1) return undefined;
  const answer = 0x04 | (((request[0] ?? 0) & 0x01) !== 0 ? overridden : 0);
  return concat(Uint8Array.of(answer), wireName(name));
}

/** A name of one label is partial: it is written without the root label (RFC 4702 §3.1). */
function wireName(name: string): Uint8Array {
  const bytes = encodedDomains([name]);
  return name.includes('.') ? bytes : bytes.subarray(0, -1);
}
