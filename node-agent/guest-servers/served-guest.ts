import { canonicalMac } from '#dhcp/address.ts';
import { type GuestSettings, parseGuestSettings } from '#dhcp/settings.ts';

/** A guest that this node's own server answers, as `hawser:guest` and `hawser:guest-server` say (docs/bus.md). */
export interface ServedGuest {
  readonly hostName?: string;
  /** What the guest's network tells everybody. */
  readonly network: GuestSettings;
  /** What its VM says otherwise. */
  readonly own: GuestSettings;
  /** Names the guest's segment; each has one server. */
  readonly segment: string;
  readonly place: SegmentPlace;
}

/** Where a segment is. */
export type SegmentPlace =
  /**
   * On `br-int`, where the server has the localport that the segment is named for, with this MAC; `routerMac` is of the segment's
   * router, in whose name routers are advertised, and absent where the routers are somebody else's.
   */
  | { readonly kind: 'localport'; readonly mac: string; readonly routerMac?: string }
  /** On a physical network, of which each node has a device. */
  | { readonly kind: 'link'; readonly physicalNetwork: string; readonly vlan?: number };

/** @returns undefined when no server of ours answers, or a sentence that says which key is wrong. */
export function parseServedGuest(ids: ReadonlyMap<string, string>): ServedGuest | string | undefined {
  const [server, guest] = [ids.get('hawser:guest-server'), ids.get('hawser:guest')];
  if (server === undefined && guest === undefined) return undefined;
  const [segment = '', ...words] = (server ?? '').split(' ');
  const isOutside = ids.get('hawser:attach') === 'outside';
  const place = isOutside ? linkOf(words) : localportOf(words);
  if (segment === '' || place === undefined) {
    const form = isOutside ? '<segment> <physical network> [<VLAN>]' : "<logical port> <MAC> [<router's MAC>]";
    return `hawser:guest-server is "${server ?? ''}", not ${form}`;
  }
  const content = contentOf(guest ?? '');
  const [network, own] = [parseGuestSettings(content?.network ?? {}), parseGuestSettings(content?.own ?? {})];
  const [problem] = [...(network.problems ?? []), ...(own.problems ?? [])];
  if (content === undefined || network.settings === undefined || own.settings === undefined) {
    return `hawser:guest cannot be used: ${problem?.sentence ?? 'it is not a JSON object'}`;
  }
  const { hostName } = content;
  return {
    network: network.settings,
    own: own.settings,
    segment,
    place,
    ...(typeof hostName === 'string' && { hostName }),
  };
}

function localportOf([server = '', router, ...more]: readonly string[]): SegmentPlace | undefined {
  const [mac, routerMac] = [canonicalMac(server), canonicalMac(router ?? '')];
  if (mac === undefined || more.length > 0 || (router !== undefined && routerMac === undefined)) return undefined;
  return { kind: 'localport', mac, ...(routerMac !== undefined && { routerMac }) };
}

function linkOf([physicalNetwork = '', tag, ...more]: readonly string[]): SegmentPlace | undefined {
  const vlan = tag === undefined ? undefined : Number(tag);
  const isTag = vlan === undefined || (Number.isInteger(vlan) && vlan >= 1 && vlan <= 4094);
  if (physicalNetwork === '' || more.length > 0 || !isTag) return undefined;
  return { kind: 'link', physicalNetwork, ...(vlan !== undefined && { vlan }) };
}

function contentOf(text: string): { hostName?: unknown; network?: unknown; own?: unknown } | undefined {
  try {
    const content: unknown = JSON.parse(text);
    return typeof content === 'object' && content !== null ? content : undefined;
  } catch {
    return undefined;
  }
}
