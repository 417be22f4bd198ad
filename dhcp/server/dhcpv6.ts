import { addressBytes, familyOf, parsePrefix, sharesBits } from '../address.ts';
import type { GuestBinding, Segment } from '../guests.ts';
import type { GuestSettings } from '../settings.ts';
import { equalBytes, u16 } from '../wire/bytes.ts';
import {
  asReceived,
  assembleDhcpv6,
  type Dhcpv6Message,
  type Dhcpv6Option,
  type Dhcpv6Packet,
  encodeRelay,
  MessageType6,
  option6,
  type RelayLayer,
  Status,
} from '../wire/dhcpv6-message.ts';
import {
  type AddressPlan,
  addressAssociations,
  addressesIn,
  addressPlan,
  type Purpose,
} from './dhcpv6-associations.ts';
import { optionOf } from './dhcpv6-identity.ts';
import { dhcpv6OptionSet, iaTimes } from './dhcpv6-options.ts';
import { clientFqdn6Reply } from './fqdn.ts';

export interface Dhcpv6Answer {
  readonly type: 'ADVERTISE' | 'REPLY';
  /** Back to where the request came from: to a client's port 546, to a relay's own port. */
  readonly bytes: Uint8Array;
}

/** Why a request gets no answer; each is counted under this name. */
export type Dhcpv6Silence =
  | 'notARequest'
  | 'notOurGuest'
  | 'unknownRelay'
  | 'otherLink'
  | 'noClientId'
  | 'badClientId'
  | 'otherServer'
  | 'contradictoryRequest'
  | 'unsupportedType';

export type Dhcpv6Responder = (
  packet: Dhcpv6Packet,
  guest: GuestBinding | undefined,
  sourceAddress: string,
) => Dhcpv6Answer | Dhcpv6Silence;

/**
 * Answers for one segment (RFC 9915 §18.3). A function of its arguments: bindings are static, so no request changes anything;
 * what it keeps are encoded options. A guest that is not ours gets silence, since another agent may know it.
 */
export function dhcpv6Responder(segment: Segment): Dhcpv6Responder {
  const subnets = segment.subnets
    .flatMap((text) => parsePrefix(text) ?? [])
    .filter(({ family }) => family === 6)
    .map(({ address, length }) => ({ network: addressBytes(address), length }));
  const relayAddresses = new Set(segment.relays.filter((address) => familyOf(address) === 6));
  const isOnLink = (address: Uint8Array): boolean =>
    subnets.some(({ network, length }) => sharesBits(network, address, length));
  const ourId = option6(2, segment.serverDuid);
  return (packet, guest, sourceAddress) => {
    const { message, relays } = packet;
    const { type, options } = message;
    if (!requestTypes.has(type)) return unheardOf(type);
    if (relays.length > 0) {
      if (!relayAddresses.has(sourceAddress)) return 'unknownRelay';
      const link = relays.findLast(({ linkAddress }) => linkAddress.some((byte) => byte !== 0))?.linkAddress;
      if (link !== undefined && !isOnLink(link)) return 'otherLink';
    }
    const clientId = options.find(({ code }) => code === 1);
    const serverId = optionOf(options, 2);
    if (clientId === undefined && type !== MessageType6.informationRequest) return 'noClientId';
    if (clientId !== undefined && !isDuidLength(clientId.content.length)) return 'badClientId';
    if (serverId !== undefined && !equalBytes(serverId, segment.serverDuid)) return 'otherServer';
    if (serverId !== undefined ? mustNotNameServer.has(type) : mustNameServer.has(type)) return 'contradictoryRequest';
    if (guest === undefined) return 'notOurGuest';

    const plan = planOf(guest);
    const body = answerBody(message, plan, isOnLink);
    if (typeof body === 'string') return body;
    const pieces = [ourId];
    if (clientId !== undefined) pieces.push(asReceived(clientId));
    for (const option of body.options) pieces.push(option);
    if (type !== MessageType6.confirm) putAsked(pieces, options, guest, plan.options);
    const inner = assembleDhcpv6(body.type, message.transactionId, pieces);
    return { type: body.type === MessageType6.advertise ? 'ADVERTISE' : 'REPLY', bytes: throughRelays(relays, inner) };
  };
}

const requestTypes: ReadonlySet<number> = new Set([1, 3, 4, 5, 6, 8, 9, 11]);
const mustNameServer: ReadonlySet<number> = new Set([
  MessageType6.request,
  MessageType6.renew,
  MessageType6.release,
  MessageType6.decline,
]);
const mustNotNameServer: ReadonlySet<number> = new Set([
  MessageType6.solicit,
  MessageType6.confirm,
  MessageType6.rebind,
]);

function unheardOf(type: number): Dhcpv6Silence {
  return type === MessageType6.advertise || type === MessageType6.reply || type === MessageType6.reconfigure
    ? 'notARequest'
    : 'unsupportedType';
}

/** A type and at least one byte, 130 in all at most (RFC 9915 §11.1). */
const isDuidLength = (length: number): boolean => length >= 3 && length <= 130;

interface Body {
  readonly type: 2 | 7;
  readonly options: readonly Uint8Array[];
}

function answerBody(
  message: Dhcpv6Message,
  plan: GuestPlan,
  isOnLink: (address: Uint8Array) => boolean,
): Body | Dhcpv6Silence {
  const { type, options } = message;
  const { reply, advertise } = MessageType6;
  const associations = (purpose: Purpose): Uint8Array[] => addressAssociations(options, plan, purpose, isOnLink);
  switch (type) {
    case MessageType6.solicit:
      return optionOf(options, 14) !== undefined
        ? { type: reply, options: [rapidCommit, ...associations('assign')] }
        : { type: advertise, options: [preference255, ...associations('assign')] };
    case MessageType6.request:
      return { type: reply, options: associations('request') };
    case MessageType6.renew:
    case MessageType6.rebind:
      return { type: reply, options: associations('renew') };
    case MessageType6.confirm:
      return confirm(options, isOnLink);
    case MessageType6.release:
    case MessageType6.decline:
      return { type: reply, options: [status(Status.success), ...associations('giveBack')] };
    default:
      if (options.some(({ code }) => code === 3 || code === 4 || code === 25)) return 'contradictoryRequest';
      return { type: reply, options: [informationRefreshTime] };
  }
}

const rapidCommit = option6(14, new Uint8Array());
/** The client need not wait for other servers (RFC 9915 §18.2.1). */
const preference255 = option6(7, Uint8Array.of(255));
/** Option 32, 86,400 s, IRT_DEFAULT. */
const informationRefreshTime = option6(32, Uint8Array.of(0, 1, 0x51, 0x80));

function status(code: number): Uint8Array {
  return option6(13, Uint8Array.of(code >>> 8, code));
}

/** What a guest is told, worked out once; guests with the same settings share `options`. */
interface GuestPlan extends AddressPlan {
  readonly options: ReadonlyMap<number, Uint8Array>;
}

const plans = new WeakMap<GuestBinding, GuestPlan>();
const optionSets = new WeakMap<GuestSettings, ReadonlyMap<number, Uint8Array>>();

function planOf(guest: GuestBinding): GuestPlan {
  const known = plans.get(guest);
  if (known !== undefined) return known;
  const { settings } = guest;
  const options = optionSets.get(settings) ?? dhcpv6OptionSet(settings);
  optionSets.set(settings, options);
  const addresses = guest.addresses.filter((address) => familyOf(address) === 6).map(addressBytes);
  const plan = { ...addressPlan(addresses, iaTimes(settings)), options };
  plans.set(guest, plan);
  return plan;
}

/** Whether the client is still on this link; it says nothing about bindings, and a client that names no address gets silence. */
function confirm(options: readonly Dhcpv6Option[], isOnLink: (address: Uint8Array) => boolean): Body | Dhcpv6Silence {
  const named = options.flatMap(({ code, content }) => (code === 3 ? addressesIn(content) : []));
  if (named.length === 0) return 'contradictoryRequest';
  return { type: MessageType6.reply, options: [status(named.every(isOnLink) ? Status.success : Status.notOnLink)] };
}

/** What the option request option (6) names, and the FQDN when the client sent one. */
function putAsked(
  pieces: Uint8Array[],
  options: readonly Dhcpv6Option[],
  guest: GuestBinding,
  set: ReadonlyMap<number, Uint8Array>,
): void {
  const list = optionOf(options, 6);
  for (let at = 0; list !== undefined && at + 2 <= list.length; at += 2) {
    const option = set.get(u16(list, at));
    // A set has a piece of its own for each code: one that is asked for twice is there already.
    if (option !== undefined && !pieces.includes(option)) pieces.push(option);
  }
  const fqdn = optionOf(options, 39);
  const name = fqdn && clientFqdn6Reply(guest, fqdn);
  if (name !== undefined) pieces.push(option6(39, name));
}

/** Each relay gets its own layer back, with its interface id (18) as it sent it (RFC 9915 §19.3). */
function throughRelays(relays: readonly RelayLayer[], inner: Uint8Array): Uint8Array {
  if (relays.length === 0) return inner;
  return relays.reduceRight(
    (bytes, layer) =>
      encodeRelay(
        MessageType6.relayReply,
        { ...layer, options: layer.options.filter(({ code }) => code === 18) },
        bytes,
      ),
    inner,
  );
}
