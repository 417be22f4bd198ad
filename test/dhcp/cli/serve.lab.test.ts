import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '#test/lab/topology/command.ts';
import { dhclient } from '../clients/dhclient.ts';
import { prepareClients } from '../clients/packages.ts';
import { type LabSegment, labSegment } from '../clients/segment.ts';

// The command itself: `npm run dhcp -- serve` and `probe --config`, as an administrator starts it.

const program = fileURLToPath(new URL('../../../dhcp/cli/main.ts', import.meta.url));
const mac = '52:54:00:00:00:0c';
const metricsPort = 19_547;

let lab: LabSegment;
let folder: string;
let config: string;
beforeAll(async () => {
  await prepareClients();
  lab = await labSegment('dhcpserve');
  folder = await mkdtemp(join(tmpdir(), 'hawser-serve-'));
  config = join(folder, 'dhcp.json');
  await writeFile(join(folder, 'guests'), `${JSON.stringify({ mac, addresses: ['10.77.0.12'], hostName: 'vm-c' })}\n`);
  const segment = {
    name: 'blue',
    interface: lab.bridge,
    netns: lab.netns,
    subnets: ['10.77.0.0/16'],
    gateways: ['10.77.0.1'],
    serverId: '10.77.0.2',
    guest: { dns: { servers: ['10.0.0.53'] } },
    guestsFile: 'guests',
  };
  await writeFile(config, JSON.stringify({ segments: [segment], metricsPort }));
});
afterAll(async () => {
  await lab?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function serving(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [program, 'serve', '--config', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  expect(String(line)).toContain('blue: answering 1 guests on segment');
  return child;
}

async function ended(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

test('serve answers the guests of its file, counts by message type, and answers the same after it was killed', async () => {
  const first = await serving();
  const guest = await lab.guest('c', mac);
  const before = await dhclient(guest, 4);
  expect(before).toMatchObject({ ip_address: '10.77.0.12', host_name: 'vm-c', domain_name_servers: '10.0.0.53' });
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  expect(metrics).toMatch(/^hawser_dhcp_events_total\{segment="blue",event="dhcpv4\.received\.DISCOVER"\} [1-9]/m);
  expect(metrics).toMatch(/^hawser_dhcp_events_total\{segment="blue",event="dhcpv4\.sent\.ACK"\} [1-9]/m);
  await ended(first, 'SIGKILL');
  const second = await serving();
  const after = await dhclient(await lab.guest('c', mac), 4);
  expect({ ...after, expiry: '' }).toEqual({ ...before, expiry: '' });
  await ended(second, 'SIGTERM');
  expect(await run('ip', ['-br', 'link', 'show', 'type', 'macvtap'], { netns: lab.netns })).toBe('');
});

test('probe --config says what a guest would be offered, and who is offered nothing', async () => {
  const probe = (asked: string) => run(process.execPath, [program, 'probe', '--config', config, '--mac', asked]);
  expect(await probe(mac)).toMatch(/^segment blue\nDHCPv4 OFFER[\s\S]*10\.77\.0\.12/);
  expect(await probe('52:54:00:00:00:0d')).toContain('no segment of');
});

test('a configuration that cannot be meant is refused, field by field', async () => {
  const file = join(folder, 'bad.json');
  await writeFile(
    file,
    JSON.stringify({ segments: [{ name: 'x', interface: 'x0', subnets: ['10.0.0.0/33'], mtu: 1 }] }),
  );
  const refused = run(process.execPath, [program, 'serve', '--config', file]);
  await expect(refused).rejects.toMatchObject({
    status: 1,
    stderr: [
      'dhcp: segments[0].subnets[0]: "10.0.0.0/33" is not a prefix such as 10.1.0.0/16 or fd00:1::/64',
      'dhcp: segments[0].mtu: must be at least 576\n',
    ].join('\n'),
  });
});
