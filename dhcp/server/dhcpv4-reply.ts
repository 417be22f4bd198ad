import { ipv4Number, type Prefix } from '../address.ts';
import type { GuestBinding, Segment } from '../guests.ts';
import type { GuestSettings } from '../settings.ts';
import { ascii, be32, concat, equalBytes, u16 } from '../wire/bytes.ts';
import {
  assembleDhcpv4,
  broadcastFlag,
  type Dhcpv4Message,
  encodeOptions,
  headerLength,
  MessageType,
} from '../wire/dhcpv4-message.ts';
import { type BootClient, bootClient, clientOptions } from './boot.ts';
import { dhcpv4OptionSet, leaseTimes, type OptionSet } from './dhcpv4-options.ts';
import { packOptions } from './dhcpv4-packing.ts';
import { clientFqdnReply, hostNameOfGuest } from './fqdn.ts';

/** Larger than any client's idea of a message, smaller than a frame, bytes. */
const longestMessage = 1472;
const ipAndUdpHeaders = 28;
const nothing = new Uint8Array();

/** Option 80 (RFC 4039), encoded. */
export const rapidCommit = Uint8Array.of(80, 0);

/** What guests with equal settings in one subnet share. */
export interface SettingsPlan {
  readonly settings: GuestSettings;
  readonly options: OptionSet;
  readonly siaddr: number;
  /** Options 53, 54, 51, 58, 59, 1, encoded. */
  readonly offerHead: Uint8Array;
  readonly ackHead: Uint8Array;
  /** Options 53, 54, 1, encoded. */
  readonly informHead: Uint8Array;
  /** What each parameter request list gets, encoded; at most `keptLists` of them. */
  readonly asked: { readonly list: Uint8Array; readonly bytes: Uint8Array }[];
}

/** One guest and what it is told. */
export interface GuestPlan {
  readonly guest: GuestBinding;
  readonly address: number;
  readonly plan: SettingsPlan;
  /** Option 12, encoded, from when it was first asked for; empty when the guest has no name. */
  hostName: Uint8Array | undefined;
}

/** Guests choose their lists freely; so many different ones are remembered per plan. */
const keptLists = 64;

/** Written in every answer, so never again when asked for. */
const always: ReadonlySet<number> = new Set([1, 50, 51, 53, 54, 55, 56, 57, 58, 59, 61, 80, 82]);

/** For clients that send no parameter request list. */
const defaultList = Uint8Array.of(3, 6, 12, 15, 26, 28, 42, 119, 121, 67, 66);

export function settingsPlan(
  settings: GuestSettings,
  segment: Segment,
  subnet: Prefix,
  serverId: number,
): SettingsPlan {
  const options = dhcpv4OptionSet(settings, segment, subnet);
  const { lease, t1, t2 } = leaseTimes(settings);
  const mask: [number, Uint8Array] = [1, options.get(1) ?? nothing];
  const server: [number, Uint8Array] = [54, be32(serverId)];
  const lasting: [number, Uint8Array][] = [server, [51, be32(lease)], [58, be32(t1)], [59, be32(t2)], mask];
  return {
    settings,
    options,
    siaddr: settings.boot?.nextServer === undefined ? 0 : ipv4Number(settings.boot.nextServer),
    offerHead: encodeOptions([[53, Uint8Array.of(MessageType.offer)], ...lasting]),
    ackHead: encodeOptions([[53, Uint8Array.of(MessageType.ack)], ...lasting]),
    informHead: encodeOptions([[53, Uint8Array.of(MessageType.ack)], server, mask]),
    asked: [],
  };
}

/** OFFER or ACK. `extra` is an encoded option. */
export function acceptanceBytes(
  type: 'OFFER' | 'ACK',
  request: Dhcpv4Message,
  mine: GuestPlan,
  extra: Uint8Array = nothing,
): Uint8Array {
  const isOffer = type === 'OFFER';
  const head = isOffer ? mine.plan.offerHead : mine.plan.ackHead;
  const whole = extra.length === 0 ? head : concat(head, extra);
  return reply(request, mine, whole, mine.address, isOffer ? 0 : request.ciaddr);
}

/** The answer to INFORM promises no lease: no yiaddr, no 51, 58, 59 (RFC 2131 §4.3.5). */
export function informBytes(request: Dhcpv4Message, mine: GuestPlan): Uint8Array {
  return reply(request, mine, mine.plan.informHead, 0, request.ciaddr);
}

/** A NAK holds 53, 54, 61 and 82 and no address or configuration at all (RFC 2131 §4.3.2, RFC 6842). */
export function refusalBytes(request: Dhcpv4Message, serverId: number): Uint8Array {
  const options = concat(Uint8Array.of(53, 1, MessageType.nak), encodeOptions([[54, be32(serverId)]]));
  // Through a relay the client, which has no address now, is reached by broadcast on its own link.
  const flags = request.giaddr === 0 ? request.flags : request.flags | broadcastFlag;
  const empty = { op: 2, hops: 0, secs: 0, flags, ciaddr: 0, yiaddr: 0, siaddr: 0, sname: nothing, file: nothing };
  return assembleDhcpv4({ ...request, ...empty }, [options, ...echoed(request)]);
}

function reply(request: Dhcpv4Message, mine: GuestPlan, head: Uint8Array, yiaddr: number, ciaddr: number): Uint8Array {
  const tail = echoed(request);
  // A relay takes option 82 off before the client sees the message, so it does not count towards the client's limit.
  const clientsTail = request.options.has(61) ? (tail[0]?.length ?? 0) : 0;
  const limit = Math.min(longestMessage, Math.max(576, u16(request.options.get(57) ?? be16of576, 0))) - ipAndUdpHeaders;
  const room = limit - headerLength - 1 - head.length - clientsTail;
  const { pieces, file, sname } = asked(request, mine, room);
  const { xid, flags, giaddr, chaddr } = request;
  const { siaddr } = mine.plan;
  const header = { op: 2, hops: 0, xid, secs: 0, flags, ciaddr, yiaddr, siaddr, giaddr, chaddr, sname, file };
  return assembleDhcpv4(header, [head, ...pieces, ...tail]);
}

const be16of576 = Uint8Array.of(2, 64);

interface Asked {
  /** Options, encoded. */
  readonly pieces: readonly Uint8Array[];
  readonly file: Uint8Array;
  readonly sname: Uint8Array;
}

/** The options the client asked for, in its order; for all but booting firmware from what is remembered. */
function asked(request: Dhcpv4Message, mine: GuestPlan, room: number): Asked {
  const { plan } = mine;
  const list = request.options.get(55) ?? defaultList;
  const hostName = list.includes(12) ? hostNameOption(mine) : nothing;
  const fqdn = fqdnOption(request, mine);
  if (plan.settings.boot === undefined && plan.settings.vendorOptions === undefined) {
    const shared = rememberedBytes(plan, list);
    if (hostName.length + fqdn.length + shared.length <= room) {
      return { pieces: [hostName, fqdn, shared], file: nothing, sname: nothing };
    }
  }
  const client = bootClient(request.options);
  const ofClient = clientOptions(plan.settings, request.options, client);
  const file = headerFile(ofClient, client);
  const wanted = [...askedOf(ofClient, withFirmwareNeeds(list, client)), ...askedOf(plan.options, list)];
  const encoded = [hostName, fqdn, ...wanted.map((option) => encodeOptions([option]))];
  const packed = packOptions(encoded, room, file.length === 0, true);
  return { pieces: [packed.main], file: packed.file ?? file, sname: packed.sname ?? nothing };
}

/** Firmware needs these whether or not its list names them. */
function withFirmwareNeeds(list: Uint8Array, client: BootClient): Uint8Array {
  return client.firmware === undefined ? list : concat(list, Uint8Array.of(60, 43, 97, 67));
}

/** Old firmware reads the header's file field, which takes 127 characters and NUL. */
function headerFile(ofClient: OptionSet, client: BootClient): Uint8Array {
  const file = ofClient.get(67) ?? nothing;
  return client.firmware === 'HTTPClient' || file.length > 127 ? nothing : file;
}

function rememberedBytes({ asked, options }: SettingsPlan, list: Uint8Array): Uint8Array {
  for (const known of asked) if (equalBytes(known.list, list)) return known.bytes;
  if (asked.length >= keptLists) asked.length = 0;
  const bytes = encodeOptions(askedOf(options, list));
  // The list is a part of the packet, which need not be kept for it.
  asked.push({ list: list.slice(), bytes });
  return bytes;
}

function askedOf(options: OptionSet, list: Uint8Array): [number, Uint8Array][] {
  const wanted: [number, Uint8Array][] = [];
  for (const code of new Set(list)) {
    const content = always.has(code) ? undefined : options.get(code);
    if (content !== undefined) wanted.push([code, content]);
  }
  return wanted;
}

function hostNameOption(mine: GuestPlan): Uint8Array {
  if (mine.hostName === undefined) {
    const name = hostNameOfGuest(mine.guest);
    mine.hostName = name === undefined ? nothing : encodeOptions([[12, ascii(name)]]);
  }
  return mine.hostName;
}

/** Option 81, encoded, for a client that sent one; empty for others. */
function fqdnOption(request: Dhcpv4Message, { guest }: GuestPlan): Uint8Array {
  const fqdn = request.options.get(81);
  const answer = fqdn && clientFqdnReply(guest, fqdn);
  return answer === undefined ? nothing : encodeOptions([[81, answer]]);
}

/** Client identifier (RFC 6842) and, last of all, relay agent information (RFC 3046 §2.2), byte for byte. */
function echoed({ options, giaddr }: Dhcpv4Message): readonly Uint8Array[] {
  const clientId = options.get(61);
  const agent = giaddr === 0 ? undefined : options.get(82);
  if (clientId === undefined && agent === undefined) return nothingToEcho;
  const pieces: Uint8Array[] = [];
  if (clientId !== undefined) pieces.push(encodeOptions([[61, clientId]]));
  if (agent !== undefined) pieces.push(encodeOptions([[82, agent]]));
  return pieces;
}

const nothingToEcho: readonly Uint8Array[] = [];
