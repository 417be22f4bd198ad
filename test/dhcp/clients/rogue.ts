import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { addressBytes } from '#dhcp/address.ts';
import { discover } from '#dhcp/probe/requests.ts';
import { openTap } from '#dhcp/transport/tap.ts';
import { u32 } from '#dhcp/wire/bytes.ts';
import { broadcastMac, parseFrame, udp4Frame } from '#dhcp/wire/frame.ts';

/** How a guest fared beside a rogue. */
export interface Attack {
  /** Packets of the rogue, and the DHCP answers it saw. */
  readonly sent: number;
  readonly seen: number;
  /** Requests of the guest. */
  readonly asked: number;
  /** How long each answer took, shortest first. */
  readonly waitsMs: readonly number[];
}

/** Asks every 5 ms as `victim`, while a rogue on the same segment does its worst (`rogue-main.ts`). */
export async function attacked(options: {
  readonly victim: { readonly netns: string; readonly device: string };
  readonly mac: string;
  readonly rogueNetns: string;
  readonly seconds: number;
}): Promise<Attack> {
  const { victim, mac, rogueNetns, seconds } = options;
  const waitsMs: number[] = [];
  const asked = new Map<number, number>();
  const client = await openTap({
    parent: victim.device,
    netns: victim.netns,
    mac,
    takesOver: true,
    onFrame: (frame) => {
      const answer = parseFrame(frame);
      if (answer?.kind !== 'udp4' || answer.destinationPort !== 68) return;
      const sentAt = asked.get(u32(answer.payload, 4));
      if (sentAt !== undefined) waitsMs.push(performance.now() - sentAt);
    },
    onEnd: () => {},
  });
  const program = fileURLToPath(new URL('./rogue-main.ts', import.meta.url));
  const rogue = spawn(process.execPath, [program, rogueNetns, mac, String(seconds)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  rogue.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  try {
    await once(rogue.stdout, 'data');
    for (let xid = 100; rogue.exitCode === null && asked.size < 400; xid++) {
      const request = udp4Frame(
        { mac, address: new Uint8Array(4), port: 68 },
        { mac: broadcastMac, address: addressBytes('255.255.255.255'), port: 67 },
        discover(mac, xid),
      );
      asked.set(xid, performance.now());
      client.send(request);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    if (rogue.exitCode === null) await once(rogue, 'exit');
    const { sent, seen }: { sent: number; seen: number } = JSON.parse(said.trim().split('\n').at(-1) ?? '');
    return { sent, seen, asked: asked.size, waitsMs: waitsMs.sort((a, b) => a - b) };
  } finally {
    rogue.kill('SIGKILL');
    await client.close();
  }
}
