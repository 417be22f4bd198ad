import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GuestImage, prepareGuest } from '#test/lab/guest/guest.ts';
import { askGuest } from '#test/lab/guest/report-port.ts';
import { type MachineOptions, startMachine } from '#test/lab/qemu/machine.ts';
import { run } from '#test/lab/topology/command.ts';
import { type Bed, type BedPod, startBed } from './bed.ts';
import { answerDhcp, attachGuestTap, type GuestTapKind } from './guest-taps.ts';
import { makePort, type TestPod } from './lab-ports.ts';

let bed: Bed;
let image: GuestImage;
let observer: BedPod;

beforeAll(async () => {
  image = await prepareGuest(console.log);
  bed = await startBed(2);
  observer = await bed.pod('node-b');
  await makePort(bed.topology, observer.port);
  await observer.sandbox.add();
});
afterAll(() => bed?.[Symbol.asyncDispose]());

test.concurrent.each(['tap', 'managedTap', 'podTap'] as const)(
  'a guest on a %s gets its address by DHCP, is reached with TCP from another node, and moves there with its address',
  async (attach) => {
    const vm = await bed.pod('node-a', { attach, name: `vm/default/guest-${attach.toLowerCase()}` });
    const { sandbox: targetPod } = await bed.pod('node-b');
    await makePort(bed.topology, { ...vm.port, pods: [vm.sandbox.uid, targetPod.uid] });
    await answerDhcp(bed.topology, vm);
    const source = await startMachine(await machineOn('node-a', attach, vm, vm.sandbox));
    const machines = [source];
    try {
      const before = await askGuest(source.reportSocket, { until: ({ ipv4 }) => ipv4.length > 0 });
      expect(before).toMatchObject({ mac: vm.mac, mtu: 1400, ipv4: [`${vm.ipv4}/16`] });
      await expectReached(vm.ipv4);

      await bed.topology.nbctl(
        ...['lsp-set-options', vm.port.name, 'requested-chassis=node-a,node-b', 'activation-strategy=rarp'],
      );
      const target = await startMachine({
        ...(await machineOn('node-b', attach, vm, targetPod)),
        incoming: { postCopy: false },
      });
      machines.push(target);
      // The target's NIC is plugged, but the guest is still there where it was.
      await expectReached(vm.ipv4);
      expect(await source.migrateTo(target, {}).outcome).toMatchObject({ status: 'completed' });
      await source.kill();
      // By the guest's own RARP: the rows still name both nodes.
      await expectReached(vm.ipv4);
      await bed.topology.nbctl('lsp-set-options', vm.port.name, 'requested-chassis=node-b');
      const after = await askGuest(target.reportSocket);
      expect(after).toMatchObject({ mac: before.mac, mtu: before.mtu, ipv4: before.ipv4 });
      expect(after.uptimeSeconds).toBeGreaterThan(before.uptimeSeconds);
    } finally {
      await Promise.all(machines.map((machine) => machine.kill()));
    }
  },
);

async function machineOn(node: string, kind: GuestTapKind, vm: BedPod, launcher: TestPod): Promise<MachineOptions> {
  const { netns, tap } = await attachGuestTap(bed, node, { name: vm.port.name, kind }, launcher);
  return {
    name: `${kind} on ${node}`,
    folder: `${bed.topology.folder}/${kind}-${node}`,
    place: { netns, env: bed.topology.node(node).env },
    image,
    nics: [{ tap, mac: vm.mac }],
  };
}

async function expectReached(ipv4: string): Promise<void> {
  const ping = () => run('ping', ['-c', '5', '-i', '0.05', '-W', '2', ipv4], { netns: observer.sandbox.netns });
  // Without KVM and with other guests beside it, a guest may be off its core for longer than its queue is.
  await expect.poll(() => ping().catch(String), { timeout: 20_000 }).toContain(' 0% packet loss');
  const bytes = 20_000;
  const echo = `const s = require('net').connect(7, '${ipv4}'); let n = 0;
    setTimeout(() => process.exit(1), 10000).unref();
    s.on('data', (d) => { n += d.length; if (n === ${bytes}) { console.log('echoed'); s.destroy(); } });
    s.write('x'.repeat(${bytes}));`;
  expect(await run(process.execPath, ['-e', echo], { netns: observer.sandbox.netns })).toBe('echoed\n');
}
