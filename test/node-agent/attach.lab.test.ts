import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildPlugin } from '#node-agent/cni/build.ts';
import { type LabNodeAgent, startNodeAgent } from '#test/lab/kubelet/node-agent.ts';
import { run } from '#test/lab/topology/command.ts';
import { startTopology, type Topology } from '#test/lab/topology/topology.ts';
import { prepare } from '#test/setup/prepare.ts';
import { addressesOf, type HandWrittenPort, makeNetwork, makePort, TestPod } from './lab-ports.ts';

let topology: Topology;
let plugin: string;
const agents = new Map<string, LabNodeAgent>();
let host = 10;

beforeAll(async () => {
  await prepare({ log: console.log });
  plugin = await buildPlugin();
  topology = await startTopology({ nodes: 2, log: console.log });
  await makeNetwork(topology);
  for (const node of topology.nodes) agents.set(node.name, await startNodeAgent(topology, node));
});
afterAll(() => topology?.[Symbol.asyncDispose]());

function agentOf(node: string): LabNodeAgent {
  const agent = agents.get(node);
  if (!agent) throw new Error(`no agent on ${node}`);
  return agent;
}

async function pod(node: string, changes: Partial<HandWrittenPort> = {}) {
  const uid = randomUUID();
  const name = `web-${host}`;
  const port: HandWrittenPort = {
    name: `pod/default/${name}`,
    uid,
    attach: 'veth',
    on: [node],
    host: host++,
    pods: [uid],
    ...changes,
  };
  const netns = await topology.addNamespace(`pod-${uid.slice(0, 8)}`);
  const sandbox = new TestPod(name, uid, netns, topology.node(node), agentOf(node), plugin);
  return { port, sandbox, ...addressesOf(port) };
}

const ping = (netns: string, address: string) => run('ping', ['-c', '3', '-i', '0.01', '-W', '1', address], { netns });

test('pods on two nodes reach each other on v4 and v6 from their first packet', async () => {
  const [a, b] = [await pod('node-a'), await pod('node-b')];
  await Promise.all([makePort(topology, a.port), makePort(topology, b.port)]);
  const [result] = await Promise.all([a.sandbox.add(), b.sandbox.add()]);
  expect(result).toMatchObject({
    cniVersion: '1.1.0',
    ips: [{ address: `${a.ipv4}/16` }, { address: `${a.ipv6}/64` }],
    interfaces: [{}, { name: 'eth0', mac: a.mac, mtu: 1400 }],
  });
  expect(await ping(a.sandbox.netns, b.ipv4)).toContain(' 0% packet loss');
  expect(await ping(a.sandbox.netns, b.ipv6)).toContain(' 0% packet loss');
});
