import { type OvnCapabilities, type OvnOption, ovnCapabilities } from '#dhcp/ovn/capabilities.ts';
import { run } from '#test/lab/topology/command.ts';
import { startTopology, type Topology } from '#test/lab/topology/topology.ts';

/** One OVN node, one logical switch behind a router, one guest NIC on it: `eth0` in `netns`. */
export interface OvnGuest extends AsyncDisposable {
  readonly topology: Topology;
  readonly netns: string;
  readonly device: string;
  readonly capabilities: OvnCapabilities;
  /** Rows as northd filled them, without the ones it writes by itself (offerip, ia_addr). */
  readonly rows: { readonly dhcpv4: readonly OvnOption[]; readonly dhcpv6: readonly OvnOption[] };
  /** Puts one row of `DHCP_Options` in place of the last and waits until the node has it. */
  setDhcp(
    family: 4 | 6,
    row: { readonly cidr: string; readonly options: Readonly<Record<string, string>> },
  ): Promise<void>;
}

export const guestMac = '0a:00:00:00:00:0a';
export const cidr4 = '10.0.0.0/24';
export const cidr6 = 'fd00::/64';

export async function startOvnGuest(id: string, ovn?: string): Promise<OvnGuest> {
  const topology = await startTopology({ id, nodes: 1, ...(ovn !== undefined && { ovn }) });
  const node = topology.node('node-a');
  await node.vsctl(
    ...['--may-exist', 'add-br', 'br-int', '--', 'set', 'Bridge', 'br-int', 'datapath_type=netdev', 'fail-mode=secure'],
    ...['--', 'set', 'Open_vSwitch', '.', 'external_ids:system-id=node-a', 'external_ids:hostname=node-a'],
    ...[`external_ids:ovn-remote="${topology.central.sbTcp}"`, 'external_ids:ovn-encap-type=geneve'],
    `external_ids:ovn-encap-ip=${node.encapIp}`,
  );
  const netns = await topology.addNamespace('guest');
  await node.exec(
    'ip',
    ['-batch', '-'],
    `link add guest type veth peer name eth0 address ${guestMac} netns ${netns}\nlink set guest up\n`,
  );
  await run('sh', ['-c', 'echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_dad; ip link set eth0 up'], { netns });
  await run('ethtool', ['-K', 'eth0', 'tx', 'off'], { netns });
  await topology.nbctl(
    ...[
      'ls-add',
      'net',
      '--',
      'lsp-add',
      'net',
      'guest',
      '--',
      'lsp-set-addresses',
      'guest',
      `${guestMac} 10.0.0.10 fd00::10`,
    ],
    ...[
      '--',
      'lr-add',
      'router',
      '--',
      'lrp-add',
      'router',
      'gateway',
      '0a:00:00:00:00:01',
      '10.0.0.1/24',
      'fd00::1/64',
    ],
    ...['--', 'lsp-add', 'net', 'up', '--', 'lsp-set-type', 'up', 'router', '--', 'lsp-set-addresses', 'up', 'router'],
    ...['--', 'lsp-set-options', 'up', 'router-port=gateway'],
  );
  await node.vsctl('add-port', 'br-int', 'guest', '--', 'set', 'Interface', 'guest', 'external_ids:iface-id=guest');
  await topology.nbctl('--wait=hv', 'sync');
  await topology.nbctl('wait-until', 'Logical_Switch_Port', 'guest', 'up=true');
  const dhcpv4 = await optionRows(topology, 'DHCP_Options');
  const dhcpv6 = await optionRows(topology, 'DHCPv6_Options');
  return {
    topology,
    netns,
    device: 'eth0',
    capabilities: ovnCapabilities(dhcpv4, dhcpv6),
    rows: {
      dhcpv4: dhcpv4.filter(({ name }) => name !== 'offerip'),
      dhcpv6: dhcpv6.filter(({ name }) => name !== 'ia_addr'),
    },
    async setDhcp(family, { cidr, options }) {
      const pairs = Object.entries(options).map(([key, value]) => `options:${key}=${JSON.stringify(value)}`);
      await topology.nbctl(
        ...['--wait=hv', '--', '--all', 'destroy', 'DHCP_Options'],
        ...['--', '--id=@row', 'create', 'DHCP_Options', `cidr=${JSON.stringify(cidr)}`, ...pairs],
        ...['--', 'set', 'Logical_Switch_Port', 'guest', `dhcpv${family}_options=@row`],
      );
    },
    [Symbol.asyncDispose]: () => topology[Symbol.asyncDispose](),
  };
}

async function optionRows(topology: Topology, table: string): Promise<OvnOption[]> {
  const text = await topology.sbctl('--format=json', '--columns=name,code,type', 'list', table);
  const { data }: { data: [string, number, string][] } = JSON.parse(text);
  return data.map(([name, code, type]) => ({ name, code, type }));
}
