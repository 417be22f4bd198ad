import type { FileRows } from './database-file.ts';

/**
 * UUID number n of a series: deterministic, so that runs compare. Open vSwitch hashes a UUID by its first 32 bits alone, so those differ
 * from row to row as a random UUID's do.
 */
export function uuid(series: number, n: number): string {
  const first = Math.imul(n + series * 0x1000193, 0x9e3779b1) >>> 0;
  return `${first.toString(16).padStart(8, '0')}-000${series}-4000-8000-${n.toString(16).padStart(12, '0')}`;
}

const set = (items: readonly unknown[]) => (items.length === 1 ? items[0] : ['set', items]);
const map = (record: Readonly<Record<string, string>>) => ['map', Object.entries(record)];

/** 100,000 logical switch ports on 1,000 logical switches, as a controller of virtual machines writes them. */
export function northbound(switches = 1_000, portsEach = 100): Readonly<Record<string, FileRows>> {
  return {
    Logical_Switch: Array.from({ length: switches }, (_, s) => [
      uuid(1, s),
      {
        name: `network-${s}`,
        ports: set(Array.from({ length: portsEach }, (_p, p) => ['uuid', uuid(2, s * portsEach + p)])),
        other_config: map({ subnet: `10.${s >> 8}.${s & 255}.0/24`, mcast_snoop: 'false' }),
        external_ids: map({ owner: `network/${s}` }),
      },
    ]),
    Logical_Switch_Port: Array.from({ length: switches * portsEach }, (_, n) => {
      const ip = `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
      const mac = `0a:58:0a:${[n >> 16, n >> 8, n].map((byte) => (byte & 255).toString(16).padStart(2, '0')).join(':')}`;
      return [
        uuid(2, n),
        {
          name: `vm/default/guest-${n}`,
          addresses: `${mac} ${ip}`,
          port_security: `${mac} ${ip}`,
          up: true,
          options: map({ 'requested-chassis': `node-${n % 500}`, 'activation-strategy': 'rarp' }),
          external_ids: map({
            'hawser:owner': `vm/default/guest-${n}`,
            'hawser:uid': uuid(9, n),
            'hawser:attach': 'managedTap',
            namespace: 'default',
          }),
        },
      ];
    }),
  };
}

/** 300,000 logical flows of 100 datapaths: what ovn-controller reads. */
export function southbound(flows = 300_000, datapaths = 100): Readonly<Record<string, FileRows>> {
  return {
    Datapath_Binding: Array.from({ length: datapaths }, (_, d) => [
      uuid(3, d),
      { tunnel_key: d + 1, external_ids: map({ name: `network-${d}`, 'logical-switch': uuid(1, d) }) },
    ]),
    Logical_Flow: Array.from({ length: flows }, (_, n) => [
      uuid(4, n),
      {
        logical_datapath: ['uuid', uuid(3, n % datapaths)],
        pipeline: n % 2 ? 'ingress' : 'egress',
        table_id: n % 27,
        priority: 50 + (n % 100),
        match: `inport == "vm/default/guest-${n}" && eth.src == {0a:58:0a:00:00:01} && ip4.src == {10.0.${(n >> 8) & 255}.${n & 255}, 0.0.0.0}`,
        actions: `reg0[${n % 16}] = 1; next(pipeline=ingress, table=${n % 27});`,
        external_ids: map({
          source: `northd.c:${5_000 + (n % 3_000)}`,
          'stage-hint': uuid(5, n).slice(0, 8),
          'stage-name': `ls_in_check_port_sec_${n % 27}`,
        }),
      },
    ]),
  };
}
