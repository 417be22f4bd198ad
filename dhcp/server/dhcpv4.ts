import { familyOf, ipv4Number, netmaskText, type Prefix, parsePrefix, prefixContains } from '../address.ts';
import type { GuestBinding, Segment } from '../guests.ts';
import type { GuestSettings } from '../settings.ts';
import { u32 } from '../wire/bytes.ts';
import { broadcastFlag, type Dhcpv4Message, MessageType } from '../wire/dhcpv4-message.ts';
import {
  acceptanceBytes,
  type GuestPlan,
  informBytes,
  rapidCommit,
  refusalBytes,
  type SettingsPlan,
  settingsPlan,
} from './dhcpv4-reply.ts';

/** Where an answer goes: to a relay, or to the guest it is about and to nobody else, whatever the request said. */
export type Dhcpv4Destination =
  | { readonly to: 'relay'; readonly address: number }
  /** `address` is the guest's own; `byBroadcast` when its stack may not take unicast yet. The frame goes to `mac` alone. */
  | { readonly to: 'guest'; readonly mac: string; readonly address: number; readonly byBroadcast: boolean };

export interface Dhcpv4Answer {
  readonly type: 'OFFER' | 'ACK' | 'NAK';
  readonly bytes: Uint8Array;
  readonly destination: Dhcpv4Destination;
}

/** Why a request gets no answer; each is counted under this name. */
export type Dhcpv4Silence =
  | 'noMessageType'
  | 'notARequest'
  | 'notOurGuest'
  | 'noAddress'
  | 'otherServer'
  | 'unknownRelay'
  | 'otherLink'
  | 'tooManyHops'
  | 'contradictoryRequest'
  | 'forgedChaddr'
  | 'released'
  | 'declined'
  | 'unsupportedType';

/** Who really sent a request, when the transport can see it. */
export interface Dhcpv4Arrival {
  /** The Ethernet source; undefined on a socket. */
  readonly sourceMac?: string | undefined;
}

export type Dhcpv4Responder = (
  request: Dhcpv4Message,
  guest: GuestBinding | undefined,
  arrival: Dhcpv4Arrival,
) => Dhcpv4Answer | Dhcpv4Silence;

/**
 * Answers for one segment (RFC 2131 §4.3). A function of its arguments: bindings are static, so no request changes anything;
 * what it keeps are encoded options, for speed. `serverId` is our address on the segment.
 */
export function dhcpv4Responder(segment: Segment, serverId: string): Dhcpv4Responder {
  const me = ipv4Number(serverId);
  const subnets = segment.subnets.flatMap((text) => parsePrefix(text) ?? []).filter(({ family }) => family === 4);
  const networks = subnets.map(({ address, length }) => {
    const mask = ipv4Number(netmaskText(length));
    return { mask, network: ipv4Number(address) };
  });
  const relays = new Set(segment.relays.filter((address) => familyOf(address) === 4).map(ipv4Number));
  const plans = new WeakMap<GuestSettings, Map<Prefix, SettingsPlan>>();
  const ofGuests = new WeakMap<GuestBinding, GuestPlan>();

  function planFor(settings: GuestSettings, address: string): SettingsPlan | undefined {
    const subnet = subnets.find((prefix) => prefixContains(prefix, address));
    if (subnet === undefined) return undefined;
    const bySubnet = remembered(plans, settings, () => new Map<Prefix, SettingsPlan>());
    return remembered(bySubnet, subnet, () => settingsPlan(settings, segment, subnet, me));
  }

  function guestPlan(guest: GuestBinding): GuestPlan | undefined {
    const known = ofGuests.get(guest);
    if (known !== undefined) return known;
    const address = guest.addresses.find((candidate) => familyOf(candidate) === 4);
    const plan = address === undefined ? undefined : planFor(guest.settings, address);
    if (address === undefined || plan === undefined) return undefined;
    return remembered(ofGuests, guest, () => ({ guest, address: ipv4Number(address), plan, hostName: undefined }));
  }

  return (request, guest, { sourceMac }) => {
    const type = request.options.get(53)?.[0];
    if (request.op !== 1) return 'notARequest';
    if (type === undefined) return 'noMessageType';
    if (request.hops > 16) return 'tooManyHops';
    if (request.giaddr === 0) {
      if (sourceMac !== undefined && sourceMac !== request.chaddr) return 'forgedChaddr';
    } else {
      if (!relays.has(request.giaddr)) return 'unknownRelay';
      const link = linkSelection(request) ?? request.giaddr;
      if (!networks.some(({ mask, network }) => (link & mask) >>> 0 === network)) return 'otherLink';
    }
    if (guest === undefined) return 'notOurGuest';
    const mine = guestPlan(guest);
    const named = request.options.get(54);
    if (named !== undefined && u32(named, 0) !== me) return 'otherServer';
    const wanted = request.options.get(50);

    switch (type) {
      case MessageType.discover:
        if (mine === undefined) return 'noAddress';
        return request.options.has(80) ? grant('ACK', request, mine, rapidCommit) : grant('OFFER', request, mine);
      case MessageType.request: {
        const claimed = wanted === undefined ? request.ciaddr : u32(wanted, 0);
        // SELECTING names server and address; INIT-REBOOT an address; RENEWING and REBINDING have one (§4.3.2).
        if (claimed === 0 || (named !== undefined && wanted === undefined)) return 'contradictoryRequest';
        return claimed === mine?.address ? grant('ACK', request, mine) : refuse(request, me);
      }
      case MessageType.inform:
        if (mine === undefined) return 'noAddress';
        return request.ciaddr === mine.address ? inform(request, mine) : 'contradictoryRequest';
      case MessageType.release:
        return 'released';
      case MessageType.decline:
        return 'declined';
      default:
        return 'unsupportedType';
    }
  };
}

function grant(type: 'OFFER' | 'ACK', request: Dhcpv4Message, mine: GuestPlan, extra?: Uint8Array): Dhcpv4Answer {
  const { guest, address } = mine;
  const byBroadcast = request.ciaddr === 0 && (request.flags & broadcastFlag) !== 0;
  return {
    type,
    bytes: acceptanceBytes(type, request, mine, extra),
    destination:
      request.giaddr === 0
        ? { to: 'guest', mac: guest.mac, address, byBroadcast }
        : { to: 'relay', address: request.giaddr },
  };
}

function inform(request: Dhcpv4Message, mine: GuestPlan): Dhcpv4Answer {
  const { guest, address } = mine;
  return {
    type: 'ACK',
    bytes: informBytes(request, mine),
    destination: { to: 'guest', mac: guest.mac, address, byBroadcast: false },
  };
}

function refuse(request: Dhcpv4Message, me: number): Dhcpv4Answer {
  return {
    type: 'NAK',
    bytes: refusalBytes(request, me),
    destination:
      request.giaddr === 0
        ? { to: 'guest', mac: request.chaddr, address: 0xffff_ffff, byBroadcast: true }
        : { to: 'relay', address: request.giaddr },
  };
}

/** The link-selection suboption (RFC 3527) a relay adds when giaddr is not on the client's link. */
function linkSelection(request: Dhcpv4Message): number | undefined {
  const agent = request.options.get(82);
  for (let at = 0; agent !== undefined && at + 2 <= agent.length; at += 2 + (agent[at + 1] ?? 0)) {
    if (agent[at] === 5 && agent[at + 1] === 4 && at + 6 <= agent.length) return u32(agent, at + 2);
  }
  return undefined;
}

function remembered<Key, Value>(
  known: { get(key: Key): Value | undefined; has(key: Key): boolean; set(key: Key, value: Value): unknown },
  key: Key,
  make: () => Value,
): Value {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = make();
  known.set(key, made);
  return made;
}
