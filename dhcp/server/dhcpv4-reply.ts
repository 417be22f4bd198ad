import { ipv4Number, type Prefix } from '../address.ts';
import type { GuestBinding, Segment } from '../guests.ts';
import type { GuestSettings } from '../settings.ts';
import { ascii, be32, concat, u16 } from '../wire/bytes.ts';
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
  readonly askedBytes: Map<string, Uint8Array>;
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
    askedBytes: new Map(),
  };
}

/** OFFER or ACK. `extra` is an encoded option. */
export function acceptanceBytes(
  type: 'OFFER' | 'ACK',
  request: Dhcpv4Message,
  guest: GuestBinding,
  plan: SettingsPlan,
  address: number,
  extra: Uint8Array = nothing,
): Uint8Array {
  const isOffer = type === 'OFFER';
  const head = isOffer ? plan.offerHead : plan.ackHead;
  const whole = extra.length === 0 ? head : concat(head, extra);
  return reply(request, guest, plan, whole, address, isOffer ? 0 : request.ciaddr);
}

/** The answer to INFORM promises no lease: no yiaddr, no 51, 58, 59 (RFC 2131 §4.3.5). */
export function informBytes(request: Dhcpv4Message, guest: GuestBinding, plan: SettingsPlan): Uint8Array {
  return reply(request, guest, plan, plan.informHead, 0, request.ciaddr);
}

/** A NAK holds 53, 54, 61 and 82 and no address or configuration at all (RFC 2131 §4.3.2, RFC 6842). */
export function refusalBytes(request: Dhcpv4Message, serverId: number): Uint8Array {
  const options = concat(Uint8Array.of(53, 1, MessageType.nak), encodeOptions([[54, be32(serverId)]]));
  // Through a relay the client, which has no address now, is reached by broadcast on its own link.
  const flags = request.giaddr === 0 ? request.flags : request.flags | broadcastFlag;
  const empty = { op: 2, hops: 0, secs: 0, flags, ciaddr: 0, yiaddr: 0, siaddr: 0, sname: nothing, file: nothing };
  return assembleDhcpv4({ ...request, ...empty }, [options, ...echoed(request)]);
}

function reply(
  request: Dhcpv4Message,
  guest: GuestBinding,
  plan: SettingsPlan,
  head: Uint8Array,
  yiaddr: number,
  ciaddr: number,
): Uint8Array {
  const tail = echoed(request);
  // A relay takes option 82 off before the client sees the message, so it does not count towards the client's limit.
  const clientsTail = request.options.has(61) ? (tail[0]?.length ?? 0) : 0;
  const limit = Math.min(longestMessage, Math.max(576, u16(request.options.get(57) ?? be16of576, 0))) - ipAndUdpHeaders;
  const room = limit - headerLength - 1 - head.length - clientsTail;
  const { main, file, sname, siaddr } = asked(request, guest, plan, room);
  const header = { ...request, op: 2, hops: 0, secs: 0, ciaddr, yiaddr, siaddr, sname, file };
  return assembleDhcpv4(header, [head, main, ...tail]);
}

const be16of576 = Uint8Array.of(2, 64);

interface Asked {
  readonly main: Uint8Array;
  readonly file: Uint8Array;
  readonly sname: Uint8Array;
  readonly siaddr: number;
}

/** The options the client asked for, in its order; for all but booting firmware from what is remembered. */
function asked(request: Dhcpv4Message, guest: GuestBinding, plan: SettingsPlan, room: number): Asked {
  const list = request.options.get(55) ?? defaultList;
  const key = Buffer.from(list.buffer, list.byteOffset, list.length).toString('latin1');
  const isBooting = plan.settings.boot !== undefined || plan.settings.vendorOptions !== undefined;
  const ofGuest = guestOptions(request, guest, list);
  if (!isBooting) {
    const shared = rememberedBytes(plan, key, list);
    const own = ofGuest.length === 0 ? nothing : encodeOptions(ofGuest);
    if (shared.length + own.length <= room) {
      return {
        main: own.length === 0 ? shared : concat(own, shared),
        file: nothing,
        sname: nothing,
        siaddr: plan.siaddr,
      };
    }
  }
  const client = bootClient(request.options);
  const ofClient = clientOptions(plan.settings, request.options, client);
  const file = headerFile(ofClient, client);
  const wanted = [...ofGuest, ...askedOf(ofClient, withFirmwareNeeds(list, client)), ...askedOf(plan.options, list)];
  const packed = packOptions(wanted, room, file.length === 0, true);
  return { main: packed.main, file: packed.file ?? file, sname: packed.sname ?? nothing, siaddr: plan.siaddr };
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

function rememberedBytes(plan: SettingsPlan, key: string, list: Uint8Array): Uint8Array {
  let bytes = plan.askedBytes.get(key);
  if (bytes === undefined) {
    if (plan.askedBytes.size >= keptLists) plan.askedBytes.clear();
    bytes = encodeOptions(askedOf(plan.options, list));
    plan.askedBytes.set(key, bytes);
  }
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

/** The guest's own name, when it asks. */
function guestOptions(request: Dhcpv4Message, guest: GuestBinding, list: Uint8Array): [number, Uint8Array][] {
  const options: [number, Uint8Array][] = [];
  const hostName = list.includes(12) ? hostNameOfGuest(guest) : undefined;
  const fqdn = request.options.get(81);
  const answer = fqdn && clientFqdnReply(guest, fqdn);
  if (hostName !== undefined) options.push([12, ascii(hostName)]);
  if (answer !== undefined) options.push([81, answer]);
  return options;
}

/** Client identifier (RFC 6842) and, last of all, relay agent information (RFC 3046 §2.2), byte for byte. */
function echoed(request: Dhcpv4Message): Uint8Array[] {
  return [61, 82].flatMap((code) => {
    const content = request.options.get(code);
    return content === undefined || (code === 82 && request.giaddr === 0) ? [] : [encodeOptions([[code, content]])];
  });
}
