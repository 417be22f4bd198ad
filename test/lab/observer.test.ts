import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCapture } from './observer/capture.ts';
import { startPing } from './observer/ping.ts';
import { startStream } from './observer/stream.ts';
import { removeNamespaces } from './topology/clean-up.ts';
import { inPlace, type Place, run } from './topology/command.ts';

const observer = { netns: 'hawserobserver-pod' };
const guest = { netns: 'hawserobserver-guest' };
const families = [
  { family: 'IPv4', address: '10.9.0.2' },
  { family: 'IPv6', address: 'fd00:9::2' },
];

/** Two namespaces with a veth between them; the guest's end is on a bridge, off which it can be taken. */
beforeAll(async () => {
  await removeNamespaces(await leftovers());
  const batch = (place: Place, ...lines: string[]) =>
    run('ip', ['-batch', '-'], { ...place, input: lines.map((line) => `${line}\n`).join('') });
  await batch(
    {},
    ...[observer, guest].map(({ netns }) => `netns add ${netns}`),
    `link add name eth0 netns ${observer.netns} type veth peer name port netns ${guest.netns}`,
  );
  const up = (host: number) => [
    `addr add 10.9.0.${host}/24 dev eth0`,
    `addr add fd00:9::${host}/64 dev eth0 nodad`,
    'link set eth0 up',
  ];
  await batch(observer, ...up(1));
  await batch(guest, 'link add name eth0 type bridge forward_delay 0', 'link set port master eth0 up', ...up(2));
  await startEchoServer(7);
});

afterAll(() => removeNamespaces([observer.netns, guest.netns]));

describe.each(families)('$family', ({ address }) => {
  test('a path without a fault shows no loss and gaps of about the interval', async () => {
    await using ping = await startPing(observer, { address });
    await ping.untilReply();
    const from = Date.now();
    await delay(500);
    const to = Date.now();
    await ping.stop();
    const { sent, received, lost, longestGapMs } = ping.figures({ from, to });
    expect({ lost, received }).toEqual({ lost: 0, received: sent });
    expect(sent).toBeGreaterThan(40);
    expect(longestGapMs).toBeGreaterThan(9);
    expect(longestGapMs).toBeLessThan(300);
  });

  test('an outage shows with its length and the pings lost in it, while the sender went on', async () => {
    await using ping = await startPing(observer, { address });
    await ping.untilReply();
    const from = Date.now();
    const outageMs = await cutFor(400);
    await ping.untilReply();
    const to = Date.now();
    await ping.stop();
    const { lost, longestGapMs, longestSendGapMs } = ping.figures({ from, to });
    expect(longestGapMs).toBeGreaterThanOrEqual(400);
    expect(longestGapMs).toBeLessThan(outageMs + 400);
    expect(lost).toBeGreaterThan(20);
    expect(longestSendGapMs).toBeLessThan(longestGapMs);
  });

  test('a TCP stream survives an outage whole, and the stall shows', async () => {
    await using stream = await startStream(observer, { address, port: 7 });
    const from = Date.now();
    await delay(100);
    await cutFor(500);
    expect(await stream.lostBytes()).toBe(0);
    const figures = stream.figures({ from });
    expect(figures.longestStallMs).toBeGreaterThanOrEqual(490);
    expect(figures).toMatchObject({ wrongBytes: 0 });
    expect(figures.receivedBytes).toBeGreaterThan(1000);
  });
});

test('bytes that do not come back are counted as lost', async () => {
  await using stream = await startStream(observer, { address: '10.9.0.2', port: 7 });
  await cut('down');
  await delay(100);
  const lost = await stream.lostBytes(200);
  await cut('up');
  expect(lost).toBeGreaterThan(100);
  expect(await stream.lostBytes()).toBe(0);
});

test.each([
  { what: 'that swaps bytes', script: 'swap' },
  { what: 'that sends bytes twice', script: 'twice' },
])('an echo server $what is found out', async ({ script }) => {
  const port = script === 'swap' ? 8 : 9;
  await startEchoServer(port, script);
  await using stream = await startStream(observer, { address: '10.9.0.2', port });
  await delay(200);
  expect(await stream.lostBytes(500)).toBeGreaterThan(0);
});

test('a server that goes away breaks the stream', async () => {
  const server = await startEchoServer(10);
  await using stream = await startStream(observer, { address: '10.9.0.2', port: 10 });
  server.kill('SIGKILL');
  await once(server, 'exit');
  await expect.poll(() => stream.figures({ from: 0 }).broken).toMatch(/closed|reset/i);
});

test('what cannot be reached at all is an error that says so', async () => {
  await expect(startStream(observer, { address: '10.9.0.2', port: 11 })).rejects.toThrow('ECONNREFUSED');
  await expect(startPing(observer, { address: '10.9.0.2', interface: 'eth9' })).rejects.toThrow('eth9');
});

test('a capture has the packets in its file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hawser-capture-'));
  try {
    const file = join(folder, 'eth0.pcap');
    const capture = await startCapture(observer, { interface: 'eth0', file, filter: 'icmp' });
    await run('ping', ['-c', '1', '10.9.0.2'], observer);
    await capture.stop();
    expect((await stat(file)).size).toBeGreaterThan(0);
    expect((await run('tcpdump', ['-n', '-r', file])).trim().split('\n')).toHaveLength(2);
  } finally {
    await rm(folder, { recursive: true });
  }
});

/** Takes the guest's link down and up again; gives the milliseconds it was down at most. */
async function cutFor(ms: number): Promise<number> {
  const start = Date.now();
  await cut('down');
  await delay(ms);
  await cut('up');
  return Date.now() - start;
}

/** Not by taking a link down, with which its addresses and routes would go. */
async function cut(state: 'down' | 'up'): Promise<void> {
  await run('ip', ['link', 'set', 'port', ...(state === 'down' ? ['nomaster'] : ['master', 'eth0'])], guest);
}

async function startEchoServer(port: number, fault = 'none') {
  const code = `
    require('node:net').createServer((socket) => socket.on('data', (chunk) => {
      if ('${fault}' === 'swap') chunk.reverse();
      socket.write(chunk);
      if ('${fault}' === 'twice') socket.write(chunk);
    }).on('error', () => {})).listen(${port}, '::', () => console.log('listening'));
  `;
  const [file, ...rest] = inPlace(process.execPath, ['--eval', code], guest);
  const server = spawn(file, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(server.stdout, 'data');
  return server;
}

/** Of a run that was killed. */
async function leftovers(): Promise<string[]> {
  const listed = (await run('ip', ['netns', 'list'])).split('\n').map((line) => line.split(' ')[0]);
  return [observer.netns, guest.netns].filter((name) => listed.includes(name));
}
