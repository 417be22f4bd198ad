import { canonicalMac } from '#dhcp/address.ts';
import { type GuestSettings, parseGuestSettings } from '#dhcp/settings.ts';

/** A guest that this node's own server answers, as `hawser:guest` and `hawser:guest-server` say (docs/bus.md). */
export interface ServedGuest {
  readonly hostName?: string;
  /** What the guest's network tells everybody. */
  readonly network: GuestSettings;
  /** What its VM says otherwise. */
  readonly own: GuestSettings;
  /** The localport by which the server is on the guest's segment, with its MAC; one for each segment. */
  readonly serverPort: string;
  readonly serverMac: string;
  /** MAC of the segment's router, in whose name routers are advertised. */
  readonly routerMac: string;
}

/** @returns undefined when OVN answers, or a sentence that says which key is wrong. */
export function parseServedGuest(ids: ReadonlyMap<string, string>): ServedGuest | string | undefined {
  const [server, guest] = [ids.get('hawser:guest-server'), ids.get('hawser:guest')];
  if (server === undefined && guest === undefined) return undefined;
  const [serverPort = '', ...macs] = (server ?? '').split(' ');
  const [serverMac, routerMac] = macs.map(canonicalMac);
  if (serverPort === '' || serverMac === undefined || routerMac === undefined) {
    return `hawser:guest-server is "${server ?? ''}", not <logical port> <MAC> <router's MAC>`;
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
    serverPort,
    serverMac,
    routerMac,
    ...(typeof hostName === 'string' && { hostName }),
  };
}

function contentOf(text: string): { hostName?: unknown; network?: unknown; own?: unknown } | undefined {
  try {
    const content: unknown = JSON.parse(text);
    return typeof content === 'object' && content !== null ? content : undefined;
  } catch {
    return undefined;
  }
}
