import { familyOf, type Prefix, parsePrefix } from '../address.ts';
import type { Segment } from '../guests.ts';
import type { GuestSettings } from '../settings.ts';
import { infinite, type RouterAdvertisement } from '../wire/router-advertisement.ts';

/**
 * What a network's settings make of a router advertisement. `isRouter` is false for a supplement: sent in our own name, it
 * must not make us a default router or give routes (RFC 4861 §4.2: lifetime 0). The mode drives M, O and A together.
 */
export function advertisementOf(settings: GuestSettings, segment: Segment, isRouter: boolean): RouterAdvertisement {
  const ra = settings.ra ?? {};
  const mode = ra.mode ?? 'stateful';
  const mtu = settings.mtu ?? segment.mtu;
  const servers = (settings.dns?.servers ?? []).filter((address) => familyOf(address) === 6);
  const search = settings.dns?.search ?? [];
  const nat64 = ra.pref64 === undefined ? undefined : parsePrefix(ra.pref64);
  return {
    hopLimit: 64,
    managed: mode === 'stateful',
    other: mode !== 'slaac',
    preference: ra.preference ?? 'medium',
    routerLifetimeSeconds: isRouter && settings.defaultRoute !== false ? (ra.routerLifetimeSeconds ?? 1800) : 0,
    ...(mtu !== undefined && mtu >= 1280 && { mtu }),
    prefixes: prefixes(settings, segment, mode !== 'stateful'),
    routes: isRouter ? routes(settings, segment) : [],
    ...(servers.length + search.length > 0 && {
      dns: { servers, search, lifetimeSeconds: ra.dnsLifetimeSeconds ?? dnsLifetime(settings) },
    }),
    ...(nat64 && { pref64: { address: nat64.address, length: nat64.length, lifetimeSeconds: dnsLifetime(settings) } }),
    ...(settings.captivePortal !== undefined && { captivePortal: settings.captivePortal }),
  };
}

/** Three times the longest interval, so that one lost RA takes nothing away (RFC 8106 §5.1). */
function dnsLifetime(settings: GuestSettings): number {
  return 3 * (settings.ra?.maxIntervalSeconds ?? 600);
}

function prefixes(settings: GuestSettings, segment: Segment, autonomous: boolean): RouterAdvertisement['prefixes'] {
  const { prefixValidSeconds, prefixPreferredSeconds, deprecatedPrefixes = [] } = settings.ra ?? {};
  const validSeconds = prefixValidSeconds ?? 86_400;
  const preferredSeconds = prefixPreferredSeconds ?? Math.min(14_400, validSeconds);
  const told = (text: string, preferred: number, isAutonomous: boolean) =>
    ipv6(text).map(({ address, length }) => ({
      address,
      length,
      onLink: true,
      // A host forms an address only from a prefix of 64 bits (RFC 4862 §5.5.3).
      autonomous: isAutonomous && length === 64,
      validSeconds,
      preferredSeconds: preferred,
    }));
  return [
    ...segment.subnets
      .filter((text) => !deprecatedPrefixes.includes(text))
      .flatMap((text) => told(text, preferredSeconds, autonomous)),
    ...deprecatedPrefixes.flatMap((text) => told(text, 0, autonomous)),
  ];
}

function routes(settings: GuestSettings, segment: Segment): RouterAdvertisement['routes'] {
  const own = (settings.ra?.routes ?? []).flatMap(({ prefix, preference = 'medium', lifetimeSeconds = infinite }) =>
    ipv6(prefix).map(({ address, length }) => ({ address, length, preference, lifetimeSeconds })),
  );
  const throughUs = (settings.routes ?? []).filter(({ via }) => familyOf(via) === 6 && segment.gateways.includes(via));
  return [
    ...own,
    ...throughUs.flatMap(({ to }) =>
      ipv6(to).map(({ address, length }) => ({
        address,
        length,
        preference: 'medium' as const,
        lifetimeSeconds: infinite,
      })),
    ),
  ];
}

function ipv6(text: string): Prefix[] {
  const prefix = parsePrefix(text);
  return prefix?.family === 6 ? [prefix] : [];
}
