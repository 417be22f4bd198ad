import { addressBytes } from '#dhcp/address.ts';
import { discover } from '#dhcp/probe/requests.ts';
import { openTap } from '#dhcp/transport/tap.ts';
import { broadcastMac, parseFrame, udp4Frame } from '#dhcp/wire/frame.ts';

// A rogue guest in a process of its own. Arguments: its namespace, its victim's Ethernet address, seconds. It sends 10,000
// packets a second, a third each forged in the victim's name, cut short, and from ever new addresses, and prints how many it
// sent and how many DHCP answers it saw.

const [netns = '', victim = '', seconds = '3'] = process.argv.slice(2);
const mac = '52:54:00:00:00:67';
const durationMs = Number(seconds) * 1000;
let seen = 0;
const tap = await openTap({
  parent: 'eth0',
  netns,
  mac,
  onFrame: (frame) => {
    const parsed = parseFrame(frame);
    if (parsed?.kind === 'udp4' && parsed.destinationPort === 68) seen++;
  },
  onEnd: () => {},
});

const broadcast = (from: string, payload: Uint8Array): Uint8Array =>
  udp4Frame(
    { mac: from, address: new Uint8Array(4), port: 68 },
    { mac: broadcastMac, address: addressBytes('255.255.255.255'), port: 67 },
    payload,
  );
const forged = broadcast(mac, discover(victim, 1));
const malformed = broadcast(mac, discover(mac, 2).subarray(0, 250));
const starving = Array.from({ length: 10_000 }, (_, i) => {
  const own = `02:00:00:00:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`;
  return broadcast(own, discover(own, 3));
});

let sent = 0;
const startedAt = performance.now();
process.stdout.write('started\n');
for (let passed = 0; passed < durationMs; passed = performance.now() - startedAt) {
  for (const due = passed * 10; sent < due; sent++) {
    tap.send([forged, malformed, starving[sent % starving.length] ?? forged][sent % 3] ?? forged);
  }
  await new Promise((resolve) => setTimeout(resolve, 1));
}
await tap.close();
process.stdout.write(`${JSON.stringify({ sent, seen })}\n`);
