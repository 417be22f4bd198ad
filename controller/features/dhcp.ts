import { createHash } from 'node:crypto';
import { type OvnCapabilities, ovnCapabilities } from '#dhcp/ovn/capabilities.ts';
import { compileDhcpv4 } from '#dhcp/ovn/dhcpv4.ts';
import { compileDhcpv6 } from '#dhcp/ovn/dhcpv6.ts';
import { portOptions } from '#dhcp/ovn/port-options.ts';
import { compileRa, raSettingsOfVm } from '#dhcp/ovn/ra.ts';
import { type GuestSettings, mergeGuestSettings, parseGuestSettings } from '#dhcp/settings.ts';
import type { Feature, Read } from '../engine/engine.ts';
import { type Fact, mapEntry, type ObjectReference, problem, row, setEntry } from '../engine/facts.ts';
import { rowUuid } from '../northbound/row-uuid.ts';
import { ownerMark } from './marks.ts';
import type { NetworkPlan, Nic, Tables } from './tables.ts';

/** Router advertisements of a network: the default gateway and everything else a guest learns without asking DHCP. */
export function routerAdvertisements(tables: Tables): Feature<NetworkPlan> {
  return {
    name: 'router-advertisements',
    from: tables.networkPlans,
    *facts(key, { guest, subnets, mtu, object }) {
      const gateways = subnets.filter(({ family }) => family === 6).map(({ gateway }) => gateway);
      if (gateways.length === 0) return;
      const { configs, unsupported } = compileRa({ settings: guest, gateways, mtu });
      for (const [name, value] of Object.entries(configs)) {
        yield mapEntry('Logical_Router_Port', `${key}/gateway`, 'ipv6_ra_configs', name, value);
      }
      yield* unsupportedProblems(object, 'spec.guest.', unsupported);
    },
  };
}

/**
 * What OVN answers a guest by DHCPv4 and DHCPv6. Guests with equal settings share rows: the network's own, or those of a VM's
 * annotation `hawser.dev/guest`. The rows are said by every port that uses them and are gone with the last.
 */
export function dhcp(tables: Tables): Feature<Nic> {
  return {
    name: 'dhcp',
    from: tables.nics,
    *facts(port, nic, read) {
      const plan = read.get(tables.networkPlans, nic.network);
      const capabilities = capabilitiesOf(tables, read);
      if (nic.attach === 'veth' || nic.hostName === undefined || plan === undefined || capabilities === undefined)
        return;
      const { settings, problems } = guestSettings(nic, plan);
      yield* problems;
      const options = portOptions(settings, nic.hostName, capabilities);
      for (const [name, value] of Object.entries(options)) {
        yield mapEntry('Logical_Switch_Port', port, 'options', name, value);
      }
      const serverMac = plan.routerMac;
      for (const { family, cidr, gateway } of plan.subnets) {
        const compiled =
          family === 4
            ? compileDhcpv4({ settings, capabilities, cidr, gateway, serverMac, serverId: gateway, mtu: plan.mtu })
            : compileDhcpv6({ settings, capabilities, cidr, serverMac });
        if (compiled === undefined) continue;
        const key = `dhcpv${family}/${nic.network}/${fingerprint(compiled.options)}`;
        yield row('DHCP_Options', key, {
          cidr,
          options: compiled.options,
          external_ids: ownerMark(key, plan.object.uid),
        });
        yield setEntry('Logical_Switch_Port', port, `dhcpv${family}_options`, rowUuid('DHCP_Options', key));
        yield* unsupportedProblems(nic.object, 'hawser.dev/guest: ', compiled.unsupported);
      }
    },
  };
}

function guestSettings(nic: Nic, plan: NetworkPlan): { settings: GuestSettings; problems: readonly Fact[] } {
  if (nic.guestAnnotation === undefined) return { settings: plan.guest, problems: [] };
  const complain = (sentence: string) => problem(nic.object, 'GuestSettings', `hawser.dev/guest: ${sentence}`);
  const own = parseGuestSettings(jsonOf(nic.guestAnnotation));
  if (own.settings === undefined) {
    return { settings: plan.guest, problems: own.problems.map(({ sentence }) => complain(sentence)) };
  }
  return {
    settings: mergeGuestSettings(plan.guest, own.settings),
    problems: raSettingsOfVm(plan.guest, own.settings).map(({ sentence }) => complain(sentence)),
  };
}

function capabilitiesOf(tables: Tables, read: Read): OvnCapabilities | undefined {
  const ovn = read.get(tables.ovn, 'northd');
  return ovn && ovnCapabilities(ovn.dhcpv4, ovn.dhcpv6);
}

function* unsupportedProblems(
  object: ObjectReference,
  prefix: string,
  unsupported: readonly { readonly sentence: string }[],
): Iterable<Fact> {
  for (const { sentence } of unsupported) yield problem(object, 'GuestSettings', `${prefix}${sentence}`);
}

function fingerprint(options: Readonly<Record<string, string>>): string {
  const text = JSON.stringify(Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1)));
  return createHash('sha256').update(text).digest('hex').slice(0, 10);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
