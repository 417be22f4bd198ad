import type { OvsdbClient } from '#ovsdb/client.ts';
import { ovnNorthbound } from '#ovsdb/schemas/ovn-northbound.ts';
import { ovnSouthbound } from '#ovsdb/schemas/ovn-southbound.ts';
import type { OvnFacts } from '../features/tables.ts';

/**
 * Keeps `put` told of what the running OVN is and can do: its version from `NB_Global.options:northd_internal_version`
 * (`25.03.0-20.39.0-…`), and the DHCP options it knows from the southbound tables northd fills at its start.
 */
export async function followOvnFacts(
  northbound: OvsdbClient,
  southbound: OvsdbClient,
  put: (facts: OvnFacts) => void,
  signal: AbortSignal,
): Promise<void> {
  const columns = ['name', 'code', 'type'] as const;
  const nb = await northbound.replicate(ovnNorthbound, { NB_Global: { columns: ['options'] } }, { signal });
  const sb = await southbound.replicate(
    ovnSouthbound,
    { DHCP_Options: { columns }, DHCPv6_Options: { columns } },
    { signal },
  );
  const tell = () => {
    const [global] = nb.tables.NB_Global.rows.values();
    const version = versionOf(global?.options.get('northd_internal_version'));
    const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
    put({
      ...(version && { version }),
      dhcpv4: [...sb.tables.DHCP_Options.rows.values()].map(optionOf).sort(byName),
      dhcpv6: [...sb.tables.DHCPv6_Options.rows.values()].map(optionOf).sort(byName),
    });
  };
  nb.onChanges(tell);
  sb.onChanges(tell);
  tell();
}

function optionOf({ name, code, type }: { readonly name: string; readonly code: number; readonly type: string }) {
  return { name, code, type };
}

/** `25.03.0-20.39.0-76.0` → year 25, month 3. */
export function versionOf(text: string | undefined): { readonly year: number; readonly month: number } | undefined {
  const match = /^(\d+)\.(\d+)\./.exec(text ?? '');
  return match === null ? undefined : { year: Number(match[1]), month: Number(match[2]) };
}
