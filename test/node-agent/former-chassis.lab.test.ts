import { expect, test } from 'vitest';
import { startNodeAgent } from '#test/lab/kubelet/node-agent.ts';
import { startTopology } from '#test/lab/topology/topology.ts';

test('a node that joins under another name is that chassis, and no longer the one it was; others stay', async () => {
  await using topology = await startTopology({ nodes: 1 });
  const node = topology.node('node-a');
  const chassis = async () => {
    const text = await topology.sbctl('--bare', '--columns=name', 'list', 'Chassis');
    return text.split(/\s+/).filter(Boolean).sort();
  };
  await topology.sbctl('chassis-add', 'elsewhere', 'geneve', '192.0.2.99');
  const { daemon } = await startNodeAgent(topology, node);
  expect(await chassis()).toEqual(['elsewhere', 'node-a']);
  await daemon.kill();
  // Ready when the new chassis is registered.
  await startNodeAgent(topology, node, { nodeName: 'node-z' });
  expect(await chassis()).toEqual(['elsewhere', 'node-z']);
});
