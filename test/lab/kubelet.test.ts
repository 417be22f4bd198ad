import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildPlugin } from '#node-agent/cni/build.ts';
import { addressesOf, makeNetwork, makePort } from '#test/node-agent/lab-ports.ts';
import { prepare } from '#test/setup/prepare.ts';
import { type KubeApi, startKubeApi } from './kube-api/server.ts';
import { type Kubelet, startKubelet } from './kubelet/kubelet.ts';
import { type LabNodeAgent, startNodeAgent } from './kubelet/node-agent.ts';
import { isPod, type Pod } from './kubelet/pod.ts';
import { run } from './topology/command.ts';
import { startTopology, type Topology } from './topology/topology.ts';
import { plainTransport } from './virt/kube-client.ts';

let topology: Topology;
let api: KubeApi;
let agent: LabNodeAgent;
let kubelet: Kubelet;

beforeAll(async () => {
  await prepare({ log: console.log });
  const cniPlugin = await buildPlugin();
  api = await startKubeApi();
  topology = await startTopology({ nodes: 1, log: console.log });
  await makeNetwork(topology);
  const node = topology.node('node-a');
  agent = await startNodeAgent(topology, node);
  kubelet = await startKubelet({
    node: node.name,
    send: plainTransport(api.url),
    hostIPs: [node.encapIp],
    nodeNetns: node.netns,
    cniPlugin,
    cniConf: agent.cniConf,
    addNamespace: topology.addNamespace,
    removeNamespace: topology.removeNamespace,
  });
});
afterAll(async () => {
  await kubelet?.[Symbol.asyncDispose]();
  await topology?.[Symbol.asyncDispose]();
  await api?.[Symbol.asyncDispose]();
});

let host = 10;

/** A pod bound to the node, and its port as the controller would make it once it sees the pod. */
async function createPod(
  name: string,
  changes: { readonly labels?: object; readonly spec?: object } = {},
): Promise<Pod> {
  const pod = await request('POST', '/api/v1/namespaces/default/pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...(changes.labels && { labels: changes.labels }) },
    spec: { nodeName: 'node-a', containers: [{ name: 'compute', image: 'none' }], ...changes.spec },
  });
  if (pod === undefined) throw new Error(`no pod ${name}`);
  return pod;
}

async function port(pod: Pod, attach: 'veth' | 'managedTap' = 'veth') {
  const written = {
    name: `pod/default/${pod.metadata.name}`,
    uid: randomUUID(),
    attach,
    on: ['node-a'],
    host: host++,
    pods: [pod.metadata.uid],
  };
  await makePort(topology, written);
  return addressesOf(written);
}

async function request(method: string, path: string, body?: object): Promise<Pod | undefined> {
  const answer = await fetch(api.url + path, {
    method,
    ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const json: unknown = await answer.json();
  return isPod(json) ? json : undefined;
}

const podNow = (name: string) => request('GET', `/api/v1/namespaces/default/pods/${name}`);
const ready = (pod: Pod | undefined) => pod?.status?.conditions?.find(({ type }) => type === 'Ready')?.status;
const patient = { timeout: 20_000 };

test('a pod is Pending on its host, then Running with its addresses, then gone with its sandbox and its port', async () => {
  const pod = await createPod('web-0');
  await expect
    .poll(() => podNow('web-0'), patient)
    .toMatchObject({
      status: { phase: 'Pending', hostIP: topology.node('node-a').encapIp, containerStatuses: [{ ready: false }] },
    });
  const { ipv4, ipv6 } = await port(pod);
  await expect.poll(async () => ready(await podNow('web-0')), patient).toBe('True');
  expect((await podNow('web-0'))?.status).toMatchObject({
    phase: 'Running',
    podIP: ipv4,
    podIPs: [{ ip: ipv4 }, { ip: ipv6 }],
    containerStatuses: [{ name: 'compute', ready: true, state: { running: {} } }],
  });
  const sandbox = kubelet.sandboxOf(pod.metadata.uid);
  expect(await run('ip', ['-br', 'address', 'show', 'eth0'], { netns: sandbox?.netns ?? '' })).toContain(ipv4);

  await request('DELETE', '/api/v1/namespaces/default/pods/web-0');
  await expect.poll(() => podNow('web-0'), patient).toBeUndefined();
  expect(kubelet.sandboxOf(pod.metadata.uid)).toBeUndefined();
  expect(await topology.node('node-a').vsctl('find', 'Interface', 'external_ids:iface-id=pod/default/web-0')).toBe('');
});

test('a pod in the network of its host gets no sandbox of its own and the addresses of the host', async () => {
  await createPod('agent', { spec: { hostNetwork: true } });
  await expect
    .poll(() => podNow('agent'), patient)
    .toMatchObject({
      status: { phase: 'Running', podIPs: [{ ip: topology.node('node-a').encapIp }] },
    });
});

test('a readiness gate holds Ready back until its condition is True, and the condition is kept', async () => {
  const pod = await createPod('gated', { spec: { readinessGates: [{ conditionType: 'example.org/gate' }] } });
  await port(pod);
  await expect.poll(() => podNow('gated'), patient).toMatchObject({ status: { phase: 'Running' } });
  expect(ready(await podNow('gated'))).toBe('False');
  const running = await podNow('gated');
  await request('PUT', '/api/v1/namespaces/default/pods/gated/status', {
    ...running,
    status: {
      ...running?.status,
      conditions: [...(running?.status?.conditions ?? []), { type: 'example.org/gate', status: 'True' }],
    },
  });
  await expect.poll(async () => ready(await podNow('gated')), patient).toBe('True');
  expect((await podNow('gated'))?.status?.conditions).toContainEqual({ type: 'example.org/gate', status: 'True' });
});

test('a launcher that exits completes its pod: the sandbox goes, the object stays', async () => {
  const pod = await createPod('virt-launcher-db', { labels: { 'kubevirt.io': 'virt-launcher' } });
  const { ipv4 } = await port(pod, 'managedTap');
  await expect
    .poll(() => podNow('virt-launcher-db'), patient)
    .toMatchObject({
      status: { phase: 'Running', podIP: ipv4 },
    });
  kubelet.launcherExited(pod.metadata.uid, 0);
  await expect
    .poll(() => podNow('virt-launcher-db'), patient)
    .toMatchObject({
      status: { phase: 'Succeeded', podIP: ipv4, containerStatuses: [{ state: { terminated: { exitCode: 0 } } }] },
    });
  expect(kubelet.sandboxOf(pod.metadata.uid)).toBeUndefined();
  await request('DELETE', '/api/v1/namespaces/default/pods/virt-launcher-db');
  await expect.poll(() => podNow('virt-launcher-db'), patient).toBeUndefined();
});

test('a launcher pod that is deleted keeps its sandbox until the launcher exits', async () => {
  const pod = await createPod('virt-launcher-slow', { labels: { 'kubevirt.io': 'virt-launcher' } });
  await port(pod, 'managedTap');
  await expect.poll(() => podNow('virt-launcher-slow'), patient).toMatchObject({ status: { phase: 'Running' } });
  await request('DELETE', '/api/v1/namespaces/default/pods/virt-launcher-slow');
  await expect
    .poll(() => podNow('virt-launcher-slow'), patient)
    .toMatchObject({
      metadata: { deletionTimestamp: expect.any(String) },
      status: { phase: 'Running' },
    });
  expect(kubelet.sandboxOf(pod.metadata.uid)).toBeDefined();
  kubelet.launcherExited(pod.metadata.uid, 0);
  await expect.poll(() => podNow('virt-launcher-slow'), patient).toBeUndefined();
});

test('a pod that is deleted while its port is still waited for goes at once', async () => {
  await createPod('never', {});
  await expect.poll(() => podNow('never'), patient).toMatchObject({ status: { phase: 'Pending' } });
  await request('DELETE', '/api/v1/namespaces/default/pods/never');
  await expect.poll(() => podNow('never'), patient).toBeUndefined();
});

test('pods are brought up while the watch breaks again and again', async () => {
  const names = ['a', 'b', 'c'].map((name) => `storm-${name}`);
  for (const name of names) {
    await port(await createPod(name));
    api.dropWatches();
  }
  for (const name of names) {
    await expect.poll(async () => ready(await podNow(name)), patient).toBe('True');
  }
});
