import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GuestImage, prepareGuest } from '#test/lab/guest/guest.ts';
import { askGuest } from '#test/lab/guest/report-port.ts';
import { startMachine } from '#test/lab/qemu/machine.ts';
import { run } from '#test/lab/topology/command.ts';
import { type Bed, type BedPod, startBed } from './bed.ts';
import { answerDhcp, guestTaps } from './guest-taps.ts';
import { makePort } from './lab-ports.ts';

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
  'a guest on a %s gets its address by DHCP and is reached from another node, with TCP',
  async (attach) => {
    const vm = await bed.pod('node-a', { attach, name: `vm/default/guest-${attach.toLowerCase()}` });
    await makePort(bed.topology, vm.port);
    await answerDhcp(bed.topology, vm);
    const { netns, tap } = await guestTaps[attach](bed, vm);
    const machine = await startMachine({
      name: attach,
      folder: `${bed.topology.folder}/${attach}`,
      place: { netns, env: bed.topology.node('node-a').env },
      image,
      nics: [{ tap, mac: vm.mac }],
    });
    try {
      const report = await askGuest(machine.reportSocket, { until: ({ ipv4 }) => ipv4.length > 0 });
      expect(report).toMatchObject({ mac: vm.mac, mtu: 1400, ipv4: [`${vm.ipv4}/16`] });
      const ping = await run('ping', ['-c', '5', '-i', '0.05', '-W', '2', vm.ipv4], { netns: observer.sandbox.netns });
      expect(ping).toContain(' 0% packet loss');
      const bulk = 'x'.repeat(20_000);
      const echo = `const s = require('net').connect(7, '${vm.ipv4}'); let n = 0;
      setTimeout(() => process.exit(1), 10000).unref();
      s.on('data', (d) => { n += d.length; if (n === ${bulk.length}) { console.log('echoed'); s.destroy(); } });
      s.write('x'.repeat(${bulk.length}));`;
      expect(await run(process.execPath, ['-e', echo], { netns: observer.sandbox.netns })).toBe('echoed\n');
    } finally {
      await machine.kill();
    }
  },
);
