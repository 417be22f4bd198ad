import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseObjects } from '#controller/replay/surroundings.ts';
import { KubeVirtScript } from '#test/controller/kubevirt/script.ts';
import { startBed } from '#test/node-agent/bed.ts';
import type { TestPod } from '#test/node-agent/lab-ports.ts';
import { controllerOn } from './controller-on.ts';
import { prepareGuest } from './guest/guest.ts';
import { typeAndWait } from './guest/guest-shell.ts';
import { askGuest } from './guest/report-port.ts';
import type { CniResult } from './kubelet/sandbox.ts';
import { plugNic, startMachine, unplugNic } from './qemu/machine.ts';
import { run } from './topology/command.ts';
import { attachManagedTap } from './virt/attachments/managed-tap.ts';

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

test('a running guest has a NIC plugged in, gets its address by DHCP, and goes on without it when it is unplugged', async () => {
  const image = await prepareGuest(console.log);
  await using bed = await startBed(1);
  await using cluster = await controllerOn(bed);
  for (const { kind, ...object } of example) if (kind !== 'VirtualMachine') cluster.put(kind, object);
  const other = await cluster.pod('other', 'node-a');
  await plugBoth(other);
  const kubevirt = new KubeVirtScript('db', 'default');
  kubevirt.createVm();
  const pod = kubevirt.boot('node-a');
  await cluster.follow(kubevirt);
  const launcher = await cluster.launcher('db', 1, 'node-a');
  const [onPodNetwork = ''] = addressesOf(await launcher.add());
  const first = await attachManagedTap(launcher.netns);
  const place = { netns: launcher.netns, env: bed.topology.node('node-a').env };
  const folder = join(bed.topology.folder, 'db');
  const guest = await startMachine({ name: 'db', folder, place, image, nics: [first], freeSlots: 1 });
  try {
    await askGuest(guest.reportSocket, { until: ({ ipv4 }) => ipv4.length > 0 });

    kubevirt.furtherNics(['backend']);
    kubevirt.plugs(pod, ['backend']);
    await cluster.follow(kubevirt);
    const [backend = ''] = addressesOf(await add(launcher, podInterface));
    await plugNic(guest, 0, await attachManagedTap(launcher.netns, undefined, podInterface));
    const found = 'until [ -e /sys/class/net/eth1 ]; do usleep 50000; done';
    const asked = 'ip link set eth1 up && udhcpc -i eth1 -n -q -t 10 -T 1 -s /etc/udhcpc/script';
    await typeAndWait(guest.consoleSocket, `${found}; ${asked}`, 60_000);
    expect(await typeAndWait(guest.consoleSocket, 'ip -4 -o addr show eth1')).toContain(`${backend}/24`);
    await reaches(other, 'net1', backend);

    await unplugNic(guest, 0);
    kubevirt.furtherNics(['backend'], ['backend']);
    kubevirt.plugs(pod, []);
    await cluster.follow(kubevirt);
    await launcher.call('DEL', multusConf, undefined, podInterface);
    expect(await typeAndWait(guest.consoleSocket, 'ls /sys/class/net')).not.toContain('eth1');
    await reaches(other, 'eth0', onPodNetwork);
    expect(await bed.interfacesFor('node-a', 'vm/default/db/backend')).toEqual([]);
  } finally {
    await guest.kill();
  }
}, 120_000);

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
