import { expect, test } from 'vitest';
import type { RowState } from '#controller/replay.ts';
import { type PortBindingRow, parsePortBinding } from '#node-agent/port-request.ts';
import { freshReplay, portOf, recording } from '#test/controller/recordings.ts';

// docs/bus.md is the contract: what the controller writes on a port is read here by the node agent, with nothing between but
// what northd copies from Logical_Switch_Port to Port_Binding.

function portBinding(port: RowState | undefined): PortBindingRow {
  if (port === undefined) throw new Error('the port is not wanted');
  const { name, addresses, external_ids: ids } = port;
  return {
    logical_port: String(name),
    mac: Array.isArray(addresses) ? addresses.map(String) : [],
    external_ids: new Map(Object.entries({ ...(ids as object) }).map(([key, value]) => [key, String(value)])),
  };
}

const addresses = [
  { address: '10.244.0.2', family: 4, prefixLength: 16, gateway: '10.244.0.1' },
  { address: 'fd00:10:244::2', family: 6, prefixLength: 64, gateway: 'fd00:10:244::1' },
];

test('a pod that is bound to a node may plug its port as eth0', async () => {
  const replay = freshReplay();
  const metadata = { namespace: 'default', name: 'web', uid: 'pod-uid' };
  replay.apply({ type: 'ADDED', kind: 'Pod', object: { metadata, spec: { nodeName: 'node-a' } } });
  const rows = await replay.rows();
  expect(parsePortBinding(portBinding(rows.get('Logical_Switch_Port/pod/default/web')))).toEqual({
    kind: 'request',
    request: {
      logicalPort: 'pod/default/web',
      owner: 'pod/default/web',
      ownerUid: 'pod-uid',
      attach: 'veth',
      mac: '0a:58:0a:f4:00:02',
      addresses,
      mtuBytes: 1400,
      routes: [],
      pods: new Map([['pod-uid', 'eth0']]),
    },
  });
});

test('in a migration both launcher pods of a VM may plug its one port, each on its own node', async () => {
  const replay = freshReplay();
  const launchers = new Set<string>();
  for (const event of recording('02-precopy-success')) {
    replay.apply(event);
    const port = portOf(await replay.rows());
    const options = { 'requested-chassis': '', ...(port?.options as object) };
    if (options['requested-chassis'] !== 'node-a,node-b') continue;
    const parsed = parsePortBinding(portBinding(port));
    expect(parsed).toMatchObject({
      kind: 'request',
      request: {
        logicalPort: expect.stringMatching(/^vm\/.+\/vm1$/),
        attach: 'managedTap',
        mac: '02:48:57:00:00:01',
        addresses,
      },
    });
    if (parsed?.kind === 'request') for (const uid of parsed.request.pods.keys()) launchers.add(uid);
  }
  expect(launchers.size).toBe(2);
});

test("a network's router port is nobody's to plug", async () => {
  const rows = await freshReplay().rows();
  const parsed = parsePortBinding(portBinding(rows.get('Logical_Switch_Port/clusternetwork/default/router')));
  expect(parsed?.kind).not.toBe('request');
});
