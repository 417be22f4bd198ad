import { createHash } from 'node:crypto';
import { type OvnCapabilities, ovnCapabilities } from '#dhcp/ovn/capabilities.ts';
import { compileDhcpv4 } from '#dhcp/ovn/dhcpv4.ts';
import { compileDhcpv6, unheardByDhcpv6 } from '#dhcp/ovn/dhcpv6.ts';
import type { Unsupported } from '#dhcp/ovn/option-map.ts';
import { portOptions } from '#dhcp/ovn/port-options.ts';
import { compileRa } from '#dhcp/ovn/ra.ts';
import { type GuestSettings, mergeGuestSettings } from '#dhcp/settings.ts';
import type { Feature } from '../engine/engine.ts';
import { type Fact, mapEntry, type ObjectReference, problem, type RowFact, row, setEntry } from '../engine/facts.ts';
import { rowUuid } from '../northbound/row-uuid.ts';
import { readGuestAnnotation } from './guest-annotation.ts';
import { answeredByServer, isAnsweredByServer } from './guest-servers.ts';
import { ownerMark } from './marks.ts';
import { isOutside } from './outside-nics.ts';
import { isInUse, routerPortOf } from './segments.ts';
import type { NicAddresses, OvnFacts, Segment, Tables } from './tables.ts';

/** Router advertisements of a segment: the default gateway and everything else a guest learns without asking DHCP. */
export function routerAdvertisements(tables: Tables): Feature<Segment> {
  return {
    name: 'router-advertisements',
    from: tables.segments,
    object: ({ object }) => object,
    *facts(key, segment, read) {
      const { subnets, mtu, object } = segment;
      const gateways = subnets.filter(({ family }) => family === 6).map(({ gateway }) => gateway);
      // On an underlay its own routers advertise themselves.
      if (gateways.length === 0 || segment.localnet !== undefined) return;
      if (isAnsweredByServer(segment) || !isInUse(tables, read, segment)) return;
      const { configs, unsupported } = compileRa({ settings: advertised(segment), gateways, mtu });
      for (const [name, value] of Object.entries(configs)) {
        yield mapEntry('Logical_Router_Port', routerPortOf(key), 'ipv6_ra_configs', name, value);
      }
      yield* unsupportedProblems(object, 'spec.guest.', unsupported);
    },
  };
}

/** OVN cannot advertise without being a default router; of two, a guest takes the one it prefers (RFC 4191), which is not this. */
function advertised({ guest, isSecondary }: Segment): GuestSettings {
  if (!isSecondary) return guest;
  const { defaultRoute, ...settings } = guest;
  return defaultRoute ? guest : { ...settings, ra: { preference: 'low', ...settings.ra } };
}

/** Settings of a network that the running OVN cannot say by DHCP: its network is told, however many guests it has. */
export function untoldSettings(tables: Tables): Feature<Segment> {
  return {
    name: 'untold-settings',
    from: tables.segments,
    object: ({ object }) => object,
    *facts(_key, segment, read) {
      const ovn = read.get(tables.ovn, 'northd');
      if (ovn === undefined || isAnsweredByServer(segment)) return;
      yield* unsupportedProblems(segment.object, 'spec.guest.', rowsOf(segment, ovn, segment.guest).unsupported);
    },
  };
}

/**
 * What OVN answers a guest by DHCPv4 and DHCPv6. Guests with equal settings share rows: the segment's own, or those of a VM's
 * annotation `hawser.dev/guest`. The rows are said by every port that uses them and are gone with the last.
 */
export function dhcp(tables: Tables): Feature<NicAddresses> {
  const compiled = new CompiledGuests();
  return {
    name: 'dhcp',
    from: tables.addresses,
    object: ({ nic }) => nic.object,
    // OVN answers guests of VMs; whoever is outside of it may be a pod too.
    isFor: ({ nic }) => isOutside(nic) || (nic.attach !== 'veth' && nic.hostName !== undefined),
    *facts(port, addresses, read) {
      const { nic } = addresses;
      const { hostName } = nic;
      const segment = read.get(tables.segments, addresses.segment);
      if (segment === undefined) return;
      if (isAnsweredByServer(segment)) {
        yield* answeredByServer(port, addresses, segment);
        return;
      }
      const ovn = read.get(tables.ovn, 'northd');
      if (hostName === undefined || ovn === undefined) return;
      const guest = compiled.of(segment, ovn, nic.guestAnnotation);
      for (const sentence of guest.sentences) yield problem(nic.object, 'GuestSettings', sentence);
      const options = portOptions(guest.settings, hostName, guest.capabilities);
      for (const [name, value] of Object.entries(options)) {
        yield mapEntry('Logical_Switch_Port', port, 'options', name, value);
      }
      for (const { fact, column, uuid } of guest.rows) {
        yield fact;
        yield setEntry('Logical_Switch_Port', port, column, uuid);
      }
    },
  };
}

/** What guests of one segment with one annotation are told. */
interface CompiledGuest {
  readonly settings: GuestSettings;
  readonly capabilities: OvnCapabilities;
  readonly rows: CompiledRows['rows'];
  /** What of the annotation cannot be had. */
  readonly sentences: readonly string[];
}

/** Thousands of guests are told the same: it is worked out once for each segment and annotation, and thrown away with the segment. */
class CompiledGuests {
  readonly #compiled = new WeakMap<Segment, { readonly ovn: OvnFacts; readonly guests: Map<string, CompiledGuest> }>();

  of(segment: Segment, ovn: OvnFacts, annotation: string | undefined): CompiledGuest {
    let known = this.#compiled.get(segment);
    if (known?.ovn !== ovn) {
      known = { ovn, guests: new Map() };
      this.#compiled.set(segment, known);
    }
    const key = annotation ?? '';
    let guest = known.guests.get(key);
    if (guest === undefined) {
      if (known.guests.size >= mostRemembered) known.guests.clear();
      guest = compiledGuest(segment, ovn, annotation);
      known.guests.set(key, guest);
    }
    return guest;
  }
}

const mostRemembered = 1000;

function compiledGuest(segment: Segment, ovn: OvnFacts, annotation: string | undefined): CompiledGuest {
  const { own, sentences } = readGuestAnnotation(annotation, segment.guest);
  const settings = mergeGuestSettings(segment.guest, own);
  const { capabilities, rows, unsupported } = rowsOf(segment, ovn, settings);
  const ofNetwork = new Set(rowsOf(segment, ovn, segment.guest).unsupported.map(({ sentence }) => sentence));
  const ofVm = unsupported.filter(({ sentence }) => !ofNetwork.has(sentence));
  const untold = ofVm.map(({ sentence }) => `hawser.dev/guest: ${sentence}`);
  return { settings, capabilities, rows, sentences: [...sentences, ...untold] };
}

/** The rows of `DHCP_Options` for guests of a segment with these settings, and what of them the running OVN cannot say. */
interface CompiledRows {
  readonly capabilities: OvnCapabilities;
  readonly rows: readonly { readonly fact: RowFact; readonly column: string; readonly uuid: string }[];
  readonly unsupported: readonly Unsupported[];
}

function rowsOf(segment: Segment, ovn: OvnFacts, settings: GuestSettings): CompiledRows {
  const capabilities = ovnCapabilities(ovn.dhcpv4, ovn.dhcpv6);
  const { routerMac: serverMac, mtu } = segment;
  const compiled = segment.subnets.flatMap(({ family, cidr, gateway }) => {
    const row =
      family === 4
        ? compileDhcpv4({ settings, capabilities, cidr, gateway, serverMac, serverId: gateway, mtu })
        : compileDhcpv6({ settings, capabilities, cidr, serverMac });
    return row === undefined ? [] : [{ family, ...row }];
  });
  const rows = compiled.map(({ family, cidr, options }) => {
    const key = `dhcpv${family}/${segment.key}/${fingerprint(options)}`;
    const fact = row('DHCP_Options', key, { cidr, options, external_ids: ownerMark(key, segment.object.uid) });
    return { fact, column: `dhcpv${family}_options`, uuid: rowUuid('DHCP_Options', key) };
  });
  const unsupported = compiled.flatMap((row) => row.unsupported);
  return { capabilities, rows, unsupported: [...unsupported, ...unheardByDhcpv6(settings)] };
}

function* unsupportedProblems(
  object: ObjectReference,
  prefix: string,
  unsupported: readonly Unsupported[],
): Iterable<Fact> {
  for (const { sentence } of unsupported) yield problem(object, 'GuestSettings', `${prefix}${sentence}`);
}

function fingerprint(options: Readonly<Record<string, string>>): string {
  const text = JSON.stringify(Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1)));
  return createHash('sha256').update(text).digest('hex').slice(0, 10);
}
