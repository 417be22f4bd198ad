import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { parseObjects } from '#controller/replay/surroundings.ts';
import { KubeVirtScript } from '#test/controller/kubevirt/script.ts';
import { type Bed, startBed } from '#test/node-agent/bed.ts';
import { outsideLink } from '#test/node-agent/outside-link.ts';
import { controllerOn } from './controller-on.ts';
import { prepareGuest } from './guest/guest.ts';
import type { GuestReport } from './guest/report.ts';
import { askGuest } from './guest/report-port.ts';
import { type MachineOptions, startMachine } from './qemu/machine.ts';
import { run } from './topology/command.ts';

// A plain Linux bridge on each of two nodes, joined, beside OVN: the controller tells the agents of a guest there, and they answer it.

/** Network and NetworkAttachmentDefinition of the user's example. */
const example = parseObjects(readFileSync(join(import.meta.dirname, '../../docs/examples/outside-nic.yaml'), 'utf8'));
const mac = '02:48:57:00:00:07';
const bridge = 'br-storage';

test('a guest on a bridge shared by two nodes has its addresses from our server, and keeps them when it migrates', async () => {
  const image = await prepareGuest(() => {});
  await using bed = await startBed(2, { guestLinks: [{ physicalNetwork: 'storage', device: bridge }] });
  const link = await outsideLink(bed.topology, bridge);
  await using cluster = await controllerOn(bed);
  for (const { kind, ...object } of example) {
    if (kind === 'NetworkAttachmentDefinition') cluster.put(kind, object);
    if (kind !== 'Network') continue;
    const subnets = ['10.30.0.0/24', 'fd00:30::/64'];
    const guest = { service: 'server', mtu: 1450, leaseSeconds: 60, renewSeconds: 2, rebindSeconds: 4 };
    cluster.put(kind, { ...object, spec: { ...Object(object.spec), subnets, guest } });
  }
  const kubevirt = new KubeVirtScript('db', 'default');
  kubevirt.createVm({ interfaces: [{ name: 'storage', bridge: {}, macAddress: mac }] });
  const sourcePod = kubevirt.boot('node-a');
  await cluster.follow(kubevirt);

  const source = await startMachine(await optionsOn(bed, 'node-a', image));
  const hasAddresses = { until: ({ ipv4, ipv6 }: GuestReport) => ipv4.length > 0 && ipv6.length > 0 };
  const before = await askGuest(source.reportSocket, hasAddresses);
  expect(before).toMatchObject({ ipv4: ['10.30.0.2/24'], mtu: 1450, hostName: 'db' });
  expect(before.ipv6.join()).toContain('fd00:30::2/');
  // The network is a second one, and its routers are somebody else's.
  expect(before.gateway).toEqual({ ipv4: undefined, ipv6: undefined });
  expect(await answers(bed, 'node-b', '')).toBe(0);

  const targetPod = kubevirt.beginMigration('mig', 'node-b', ['storage']);
  kubevirt.handOff('mig', targetPod, sourcePod);
  kubevirt.migrate('mig');
  await cluster.follow(kubevirt);
  const target = await startMachine({ ...(await optionsOn(bed, 'node-b', image)), incoming: { postCopy: false } });
  expect(await source.migrateTo(target, {}).outcome).toMatchObject({ status: 'completed' });
  await source.kill();
  kubevirt.domainReady(targetPod);
  kubevirt.succeed('mig', targetPod, sourcePod);
  await cluster.follow(kubevirt);

  const neighbour = await link.machine('node-a', 'neighbour', '0a:58:0a:00:00:99');
  await run('ip', ['addr', 'add', '10.30.0.99/24', 'dev', 'eth0'], neighbour);
  expect(await run('ping', ['-c', '1', '-w', '5', '10.30.0.2'], neighbour)).toContain(' 1 received');
  // Asked anew, as by a guest that starts.
  await typeAt(target.consoleSocket, 'kill -USR2 $(pidof udhcpc); sleep 1; kill -USR1 $(pidof udhcpc)');
  for (const event of ['dhcpv4.sent.ACK', 'dhcpv6.received.RENEW']) {
    await expect.poll(() => answers(bed, 'node-b', event), { timeout: 20_000 }).toBeGreaterThan(0);
  }
  const after = await askGuest(target.reportSocket, hasAddresses);
  expect([after.ipv4, after.ipv6, after.bootId]).toEqual([before.ipv4, before.ipv6, before.bootId]);
  expect((await bed.agent('node-a').send('GET', '/offers/vm/default/db/storage')).status).toBe(404);
  await expect.poll(() => answers(bed, 'node-a', ''), { timeout: 30_000 }).toBe(0);
  await target.kill();
}, 120_000);

/** A tap on the node's bridge, as the plugin `bridge` and virt-launcher leave one, and the machine on it. */
async function optionsOn({ topology }: Bed, name: string, image: MachineOptions['image']): Promise<MachineOptions> {
  const { netns, env } = topology.node(name);
  const input = `tuntap add tap-db mode tap vnet_hdr\nlink set tap-db master ${bridge} up\n`;
  await run('ip', ['-batch', '-'], { netns, input });
  const folder = join(topology.folder, name, 'q');
  return { name: `guest on ${name}`, folder, place: { netns, env }, image, nics: [{ tap: 'tap-db', mac }] };
}

/** How often the node's server counted an event that begins so; none when it serves nobody. */
async function answers(bed: Bed, node: string, event: string): Promise<number> {
  const { body } = await bed.agent(node).send('GET', '/metrics');
  const counts = [...body.matchAll(/hawser_guest_server_events_total\{[^}]*event="([^"]+)"\} (\d+)/g)];
  return counts.filter(([, name]) => name?.startsWith(event)).reduce((sum, [, , count]) => sum + Number(count), 0);
}

async function typeAt(socketPath: string, line: string): Promise<void> {
  const console = connect(socketPath);
  await new Promise((resolve) => console.once('connect', resolve));
  await new Promise((resolve) => console.write(`${line}\n`, resolve));
  await pause(500);
  console.destroy();
}
