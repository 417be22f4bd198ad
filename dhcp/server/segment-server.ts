import type { Guests, Segment } from '../guests.ts';
import type { GuestSettings } from '../settings.ts';
import type { Sender, Transport, TransportEvents } from '../transport/transport.ts';
import { decodeDhcpv4 } from '../wire/dhcpv4-message.ts';
import { decodeDhcpv6 } from '../wire/dhcpv6-message.ts';
import { decodeRouterSolicitation } from '../wire/router-advertisement.ts';
import { dhcpv4Responder } from './dhcpv4.ts';
import { dhcpv6Responder } from './dhcpv6.ts';
import { identify } from './dhcpv6-identity.ts';
import { type Counter, eventNames, messageName4, messageName6 } from './tally.ts';

export type Way = Pick<Transport, 'sendDhcpv4' | 'sendDhcpv6'>;

/** One packet in, at most one answer out, everything counted. Knows neither sockets nor frames nor clocks. */
export interface SegmentServer {
  dhcpv4(bytes: Uint8Array, sender: Sender, way: Way): void;
  dhcpv6(bytes: Uint8Array, sender: Sender, way: Way): void;
  /** Whether the solicitation is to be answered. */
  solicitation(bytes: Uint8Array, sender: Parameters<TransportEvents['solicitation']>[1]): boolean;
}

export function segmentServer(segment: Segment, guests: Guests, counter: Counter): SegmentServer {
  const answer4 = segment.serverId === undefined ? undefined : dhcpv4Responder(segment, segment.serverId);
  const answer6 = dhcpv6Responder(segment);
  const { byMac } = guests;
  return {
    dhcpv4(bytes, sender, way) {
      if (answer4 === undefined) return;
      const request = decodeDhcpv4(bytes);
      if (typeof request === 'string') return counter.count(`dhcpv4.malformed.${request}`);
      counter.count(received4[request.options.get(53)?.[0] ?? 0] ?? 'dhcpv4.received.other');
      const answer = answer4(request, byMac.get(request.chaddr), { sourceMac: sender.mac });
      if (typeof answer === 'string') return counter.count(`dhcpv4.silent.${answer}`);
      counter.count(sent4[answer.type]);
      way.sendDhcpv4(answer.bytes, answer.destination);
    },
    dhcpv6(bytes, sender, way) {
      const packet = decodeDhcpv6(bytes);
      if (typeof packet === 'string') return counter.count(`dhcpv6.malformed.${packet}`);
      counter.count(received6[packet.message.type] ?? 'dhcpv6.received.other');
      const mac = identify(packet, { sourceMac: sender.mac, sourceAddress: sender.address }, segment.trustDuid);
      const guest = mac === undefined ? undefined : byMac.get(mac);
      const answer = answer6(packet, guest, sender.address);
      if (typeof answer === 'string') return counter.count(`dhcpv6.silent.${answer}`);
      counter.count(sent6[answer.type]);
      way.sendDhcpv6(answer.bytes, sender);
    },
    solicitation(bytes, sender) {
      const header = { hopLimit: sender.hopLimit, sourceIsUnspecified: sender.address === '::' };
      const solicitation = decodeRouterSolicitation(bytes, header);
      if (typeof solicitation === 'string') {
        counter.count(`ra.malformed.${solicitation}`);
        return false;
      }
      counter.count('ra.received.SOLICITATION');
      const isOurs = sender.mac !== undefined && byMac.has(sender.mac);
      if (!isOurs) counter.count('ra.silent.notOurGuest');
      return isOurs;
    },
  };
}

const received4 = eventNames('dhcpv4.received', messageName4);
const received6 = eventNames('dhcpv6.received', messageName6);
const sent4 = { OFFER: 'dhcpv4.sent.OFFER', ACK: 'dhcpv4.sent.ACK', NAK: 'dhcpv4.sent.NAK' } as const;
const sent6 = { ADVERTISE: 'dhcpv6.sent.ADVERTISE', REPLY: 'dhcpv6.sent.REPLY' } as const;

/** What router advertisements of a segment are made of. */
export interface AdvertisingSettings {
  readonly settings: GuestSettings;
  /** Whether they make their sender a default router. */
  readonly isRouter: boolean;
}
