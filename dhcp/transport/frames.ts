import { addressBytes, ipv4Text, linkLocalOf } from '../address.ts';
import type { Guests } from '../guests.ts';
import {
  arpReplyFrame,
  broadcastMac,
  type FrameEnd,
  icmp6Frame,
  parseFrame,
  udp4Frame,
  udp6Frame,
} from '../wire/frame.ts';
import { openTap } from './tap.ts';
import type { OpenTransport, Transport, TransportEvents } from './transport.ts';

export interface FramesOptions {
  /** Any Ethernet-like interface: a bridge, a VLAN, an uplink, the PF of an SR-IOV card, an OVS internal port. */
  readonly parent: string;
  readonly netns?: string;
  /** Our own Ethernet address on the segment. */
  readonly mac: string;
  /** DHCPv4 server address. */
  readonly serverId?: string;
  /** Whether ARP for that address is answered, to guests of ours only: yes, unless it is another's, such as the gateway's. */
  readonly answersArp?: boolean;
  /** Guests of ours. */
  readonly guests: Guests;
  /** The router in whose name advertisements go out; our own name when absent. */
  readonly router?: { readonly mac: string; readonly linkLocal: string };
  /** Others are on the segment too: what is advertised to everybody goes to guests of ours alone, one frame each (RFC 6085). */
  readonly isShared?: boolean;
}

/**
 * Frames through a macvtap's character device: it sees who really sent a request, answers one guest and no other, and can
 * advertise routers.
 */
export function framesTransport(options: FramesOptions): OpenTransport {
  return async (events) => {
    const own = { mac: options.mac, linkLocal: addressBytes(linkLocalOf(options.mac)) };
    const serverId = options.serverId === undefined ? undefined : addressBytes(options.serverId);
    const router = options.router && { ...options.router, linkLocal: addressBytes(options.router.linkLocal) };
    const { answersArp = true } = options;
    const receive = (frame: Uint8Array): void => {
      const parsed = parseFrame(frame);
      if (parsed === undefined) return;
      if (parsed.kind === 'arpRequest') {
        if (
          serverId !== undefined &&
          answersArp &&
          parsed.target === options.serverId &&
          options.guests.byMac.has(parsed.sourceMac)
        ) {
          const guest = { mac: parsed.sourceMac, address: addressBytes(parsed.source), port: 0 };
          send(arpReplyFrame({ mac: own.mac, address: serverId, port: 0 }, guest));
        }
        return;
      }
      deliver(parsed, events);
    };
    const { parent, netns, mac, guests, isShared = false } = options;
    const tap = await openTap({
      parent,
      mac,
      ...(netns !== undefined && { netns }),
      onFrame: receive,
      onEnd: events.failed,
    });
    const { send } = tap;
    const transport: Transport = {
      sendDhcpv4(bytes, destination) {
        if (serverId === undefined) return;
        const from: FrameEnd = { mac: own.mac, address: serverId, port: 67 };
        if (destination.to === 'relay') {
          send(
            udp4Frame(
              from,
              { mac: broadcastMac, address: addressBytes(ipv4Text(destination.address)), port: 67 },
              bytes,
            ),
          );
        } else {
          const address = destination.byBroadcast ? 0xffff_ffff : destination.address;
          send(udp4Frame(from, { mac: destination.mac, address: addressBytes(ipv4Text(address)), port: 68 }, bytes));
        }
      },
      sendDhcpv6(bytes, { mac, address, port }) {
        if (mac === undefined) return;
        send(
          udp6Frame(
            { mac: own.mac, address: own.linkLocal, port: 547 },
            { mac, address: addressBytes(address), port },
            bytes,
          ),
        );
      },
      sendAdvertisement(message, to) {
        const from = { mac: router?.mac ?? own.mac, address: router?.linkLocal ?? own.linkLocal, port: 0 };
        const address = addressBytes(to?.address ?? 'ff02::1');
        const everybody = isShared ? guests.byMac.keys() : ['33:33:00:00:00:01'];
        for (const mac of to === undefined ? everybody : [to.mac]) {
          send(icmp6Frame(from, { mac, address, port: 0 }, message));
        }
      },
      close: () => tap.close(),
    };
    return transport;
  };
}

function deliver(
  frame: Exclude<NonNullable<ReturnType<typeof parseFrame>>, { kind: 'arpRequest' }>,
  events: TransportEvents,
): void {
  const { sourceMac: mac, payload } = frame;
  if (frame.kind === 'icmp6') {
    if (payload[0] === 133)
      events.solicitation(payload, { mac, address: frame.source, port: 0, hopLimit: frame.hopLimit });
  } else if (frame.kind === 'udp4') {
    if (frame.destinationPort === 67) events.dhcpv4(payload, { mac, address: '0.0.0.0', port: frame.sourcePort });
  } else if (frame.destinationPort === 547) {
    events.dhcpv6(payload, { mac, address: frame.source, port: frame.sourcePort });
  }
}
