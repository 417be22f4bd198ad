import { readFileSync } from 'node:fs';
import type { NetworkDefaults } from '#controller/features/networks.ts';
import type { RowState } from '#controller/replay/northbound-rows.ts';
import { parseRecording, type RecordedEvent } from '#controller/replay/recording.ts';
import { Replay } from '#controller/replay/replay.ts';

/** What a recording needs around it: the cluster default network on the OVN of Debian 12. */
export function freshReplay(networkDefaults: Omit<NetworkDefaults, 'mtu'> = {}): Replay {
  const replay = new Replay(
    {
      networkDefaults: { mtu: 1400, ...networkDefaults },
      bindingPlugins: { hawser: 'managedTap', 'hawser-tap': 'tap' },
    },
    {
      version: { year: 23, month: 3 },
      dhcpv4: [
        { name: 'lease_time', code: 51, type: 'uint32' },
        { name: 'router', code: 3, type: 'ipv4' },
        { name: 'server_id', code: 54, type: 'ipv4' },
        { name: 'mtu', code: 26, type: 'uint16' },
        { name: 'hostname', code: 12, type: 'str' },
        { name: 'broadcast_address', code: 28, type: 'ipv4' },
        { name: 'T1', code: 58, type: 'uint32' },
        { name: 'T2', code: 59, type: 'uint32' },
      ],
      dhcpv6: [{ name: 'server_id', code: 2, type: 'mac' }],
    },
  );
  replay.apply({
    type: 'ADDED',
    kind: 'ClusterNetwork',
    object: {
      metadata: { name: 'default', uid: 'net-default' },
      spec: { topology: 'overlay', role: 'primary', subnets: ['10.244.0.0/16', 'fd00:10:244::/64'] },
    },
  });
  return replay;
}

/** `name` as in test/fixtures/kubevirt-traces, without `.jsonl`. */
export function recording(name: string): readonly RecordedEvent[] {
  return parseRecording(readFileSync(new URL(`../fixtures/kubevirt-traces/${name}.jsonl`, import.meta.url), 'utf8'));
}

/** The VM's port in `rows`; a recording has one VM or bare VMI. */
export function portOf(rows: ReadonlyMap<string, RowState>): RowState | undefined {
  for (const [name, row] of rows) if (name.startsWith('Logical_Switch_Port/vm/')) return row;
  return undefined;
}
