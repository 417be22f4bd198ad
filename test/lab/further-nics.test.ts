import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { replicateNorthbound } from '#controller/northbound/replica.ts';
import { NorthboundWriter } from '#controller/northbound/writer.ts';
import { parseObjects } from '#controller/replay/surroundings.ts';
import { buildPlugin } from '#node-agent/cni/build.ts';
import { connect } from '#ovsdb/client.ts';
import { KubeVirtScript } from '#test/controller/kubevirt/script.ts';
import { freshReplay } from '#test/controller/recordings.ts';
import { type Bed, startBed } from '#test/node-agent/bed.ts';
import { TestPod } from '#test/node-agent/lab-ports.ts';
import type { CniResult } from './kubelet/sandbox.ts';
import { run } from './topology/command.ts';

type Json = Readonly<Record<string, unknown>>;

/** The Network and the NetworkAttachmentDefinition of the user's example. */
const example = parseObjects(readFileSync(join(import.meta.dirname, '../../docs/examples/second-nic.yaml'), 'utf8'));
/** What Multus gives the plugin for it: the definition's `spec.config`. */
const definition = example.find(({ kind }) => kind === 'NetworkAttachmentDefinition');
const multusConf: Json = JSON.parse(Object(definition?.spec).config);
/** KubeVirt's name for the NIC on `backend` in launcher pods. */
const podInterface = 'pod10e08a419e8';

test('pods have a second NIC, and a VM gets one hot-plugged and unplugged and migrates with the addresses of both', async () => {
  await using bed = await startBed(2);
  await using cluster = await controllerOn(bed);
  for (const { kind, ...object } of example) if (kind !== 'VirtualMachine') cluster.put(kind, object);
  const [left, right] = [await cluster.pod('left', 'node-a'), await cluster.pod('right', 'node-b')];

  // Both NICs of both pods at once, as kubelets and Multus on two nodes call.
  const [first, second] = await Promise.all([plugBoth(left), plugBoth(right)]);
  expect(first).toMatchObject({ routes: [], ips: [{ address: '10.20.0.2/24' }, { address: 'fd00:20::2/64' }] });
  expect(await defaultRoutes(left)).toEqual(['eth0', 'eth0']);
  for (const address of addressesOf(second)) await reaches(left, 'net1', address);
  await left.call('CHECK', { ...multusConf, prevResult: first }, undefined, 'net1');

  const kubevirt = new KubeVirtScript('db', 'default');
  kubevirt.createVm();
  const source = kubevirt.boot('node-a');
  await cluster.follow(kubevirt);
  const launcher = await cluster.launcher('db', 1, 'node-a');
  const [pods] = addressesOf(await launcher.add());
  await answerAs(launcher, 'eth0', `${pods}/20`);

  const plug = async () => {
    kubevirt.furtherNics(['backend']);
    kubevirt.plugs(source, ['backend']);
    await cluster.follow(kubevirt);
    const [backend = ''] = addressesOf(await add(launcher, podInterface));
    await answerAs(launcher, podInterface, `${backend}/24`);
    await reaches(right, 'net1', backend);
    return backend;
  };
  const backend = await plug();
  kubevirt.furtherNics(['backend'], ['backend']);
  kubevirt.plugs(source, []);
  await cluster.follow(kubevirt);
  await launcher.call('DEL', multusConf, undefined, podInterface);
  expect(await run('ip', ['-br', 'link'], { netns: launcher.netns })).not.toContain(podInterface);
  expect(
    await bed.topology.nbctl('--bare', '--columns=name', 'find', 'Logical_Switch_Port', 'name=vm/default/db/backend'),
  ).toBe('');
  await reaches(right, 'eth0', pods ?? '');
  // It is in the VM still, so it is the same NIC.
  expect(await plug()).toBe(backend);

  const targetPod = kubevirt.beginMigration('mig1', 'node-b', ['backend']);
  kubevirt.handOff('mig1', targetPod, source);
  kubevirt.migrate('mig1');
  await cluster.follow(kubevirt);
  const target = await cluster.launcher('db', 2, 'node-b');
  const [onPodNetwork, onBackend] = await Promise.all([target.add(), add(target, podInterface)]);
  expect([addressesOf(onPodNetwork)[0], addressesOf(onBackend)[0]]).toEqual([pods, backend]);
  // The guest is still at its source.
  await reaches(right, 'net1', backend);
  kubevirt.domainReady(targetPod);
  kubevirt.succeed('mig1', targetPod, source);
  await cluster.follow(kubevirt);
  await launcher.call('DEL', multusConf, undefined, podInterface);
  await launcher.call('DEL');
  await answerAs(target, 'eth0', `${pods}/20`);
  await answerAs(target, podInterface, `${backend}/24`);
  await reaches(left, 'net1', backend);
  await reaches(left, 'eth0', pods ?? '');
}, 120_000);

/** Our controller's core on the bed's northbound database, told of objects by the test. */
async function controllerOn(bed: Bed) {
  const { topology } = bed;
  const plugin = await buildPlugin();
  const replay = freshReplay();
  const client = await connect({ remotes: [`unix:${join(topology.folder, 'central', 'nb.sock')}`] });
  const northbound = await replicateNorthbound(client, AbortSignal.timeout(20_000));
  const writer = new NorthboundWriter(replay.core.engine.board, northbound, { sleep: pause });
  await replay.core.settle();
  await writer.start();
  let told = 0;
  const put = (kind: string, object: Json) => replay.apply({ type: 'MODIFIED', kind, object });
  const settle = async () => {
    await replay.rows();
    await writer.idle();
  };
  const sandbox = async (name: string, uid: string, node: string) => {
    const netns = await topology.addNamespace(`pod-${randomUUID().slice(0, 8)}`);
    return new TestPod(name, uid, netns, topology.node(node), bed.agent(node), plugin);
  };
  return {
    put,
    /** A pod with a NIC on `backend`. */
    pod: async (name: string, nodeName: string) => {
      const annotations = { 'k8s.v1.cni.cncf.io/networks': 'backend' };
      put('Pod', { metadata: { namespace: 'default', name, uid: name, annotations }, spec: { nodeName } });
      await settle();
      return await sandbox(name, name, nodeName);
    },
    /** The sandbox of a VM's `nth` launcher pod. */
    launcher: (vm: string, nth: number, node: string) =>
      sandbox(`virt-launcher-${vm}-${nth}`, `pod-default-${vm}-${nth}`, node),
    follow: async ({ events }: KubeVirtScript) => {
      for (const event of events.slice(told)) replay.apply(event);
      told = events.length;
      await settle();
    },
    async [Symbol.asyncDispose]() {
      await writer.close();
      await client.close();
    },
  };
}

/** Gives the result of the second one. */
async function plugBoth(pod: TestPod): Promise<CniResult> {
  const [, further] = await Promise.all([pod.add(), add(pod, 'net1')]);
  return further;
}

/** ADD as Multus delegates it. */
async function add(pod: TestPod, interfaceName: string): Promise<CniResult> {
  return JSON.parse(await pod.call('ADD', multusConf, undefined, interfaceName));
}

function addressesOf({ ips }: CniResult): readonly string[] {
  return ips.map(({ address }) => address.split('/')[0] ?? '');
}

/** The pod's own kernel plays the guest behind a NIC that CNI ADD left silent. */
async function answerAs({ netns }: TestPod, device: string, address: string): Promise<void> {
  const input = `link set ${device} arp on\naddr replace ${address} dev ${device}\n`;
  await run('ip', ['-batch', '-'], { netns, input });
}

async function reaches({ netns }: TestPod, device: string, address: string): Promise<void> {
  const ping = await run('ping', ['-c', '1', '-i', '0.2', '-w', '5', '-I', device, address], { netns }).catch(String);
  expect(ping, `${device} → ${address}`).toMatch(/ [1-9]\d* received/);
}

async function defaultRoutes({ netns }: TestPod): Promise<readonly string[]> {
  const shown = await Promise.all(
    ['-4', '-6'].map((family) => run('ip', [family, '-json', 'route', 'show', 'default'], { netns })),
  );
  return shown.flatMap((text) => JSON.parse(text).map(({ dev }: { readonly dev: string }) => dev));
}
