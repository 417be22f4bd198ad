import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '#dhcp/cli/config.ts';
import { ConfigError } from '#dhcp/cli/config-error.ts';

type Json = Readonly<Record<string, unknown>>;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hawser-dhcp-config-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const segment = (changes: Json = {}): Json => ({
  ...{ name: 'blue', interface: 'br0', subnets: ['10.0.0.0/24', 'fd00::/64'], ...changes },
});
const guest = (changes: Json = {}): Json => ({ mac: '52:54:00:00:00:0a', addresses: ['10.0.0.10'], ...changes });

/** What is said of a configuration; `lines` are its guests' file. */
async function problemsOf(config: unknown, lines: readonly string[] = []): Promise<readonly string[]> {
  const file = join(folder, 'config.json');
  await writeFile(file, typeof config === 'string' ? config : JSON.stringify(config));
  await writeFile(join(folder, 'guests'), lines.join('\n'));
  const error = await readConfig(file).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error === undefined) return [];
  if (!(error instanceof ConfigError)) throw error;
  return error.problems.map((sentence) => sentence.replaceAll(`${folder}/`, ''));
}

test('a configuration of every field is ready to be served', async () => {
  const all = segment({
    ...{ netns: 'ns', transport: 'frames', gateways: ['10.0.0.1', 'FD00::1'], mtu: 1400, serverId: '10.0.0.2' },
    ...{ mac: '0A-00-00-00-00-01', relays: ['10.0.0.3'], trustDuid: true, advertise: true },
    router: { mac: '0a:00:00:00:00:fe', linkLocal: 'fe80::fe' },
    guest: { leaseSeconds: 600 },
    guests: [guest({ hostName: 'db', guest: { mtu: 1300 } })],
    guestsFile: 'guests',
  });
  const file = join(folder, 'config.json');
  await writeFile(file, JSON.stringify({ segments: [all], metricsPort: 9547 }));
  await writeFile(
    join(folder, 'guests'),
    `${JSON.stringify(guest({ mac: '52:54:00:00:00:0b', addresses: ['fd00::b'] }))}\n`,
  );
  const { segments, metricsPort } = await readConfig(file);
  expect(metricsPort).toBe(9547);
  expect(segments).toMatchObject([
    {
      segment: { name: 'blue', gateways: ['10.0.0.1', 'fd00::1'], mtu: 1400, serverId: '10.0.0.2', trustDuid: true },
      ...{ device: 'br0', netns: 'ns', transport: 'frames', mac: '0a:00:00:00:00:01', advertises: true },
      router: { mac: '0a:00:00:00:00:fe', linkLocal: 'fe80::fe' },
      settings: { leaseSeconds: 600 },
    },
  ]);
  expect([...(segments[0]?.guests.byMac.values() ?? [])]).toEqual([
    { mac: '52:54:00:00:00:0a', addresses: ['10.0.0.10'], hostName: 'db', settings: { leaseSeconds: 600, mtu: 1300 } },
    { mac: '52:54:00:00:00:0b', addresses: ['fd00::b'], settings: { leaseSeconds: 600 } },
  ]);
});

test.each<[string, unknown, readonly (string | RegExp)[]]>([
  ['no JSON', '{"segments": [}', [/^config\.json: .*JSON/]],
  ['a list', [], ['config.json: must be a set of fields']],
  ['no segment', { segments: [] }, ['segments: must have at least 1 entry']],
  [
    'fields that are missing or misspelt',
    { segments: [{ name: 'x', subnet: '10.0.0.0/24' }], port: 1 },
    [
      'segments[0].interface: must be a string, and is missing',
      'segments[0].subnets: must be a list, and is missing',
      'segments[0].subnet: is not a field of the configuration',
      'port: is not a field of the configuration',
    ],
  ],
  [
    'values that cannot be meant',
    {
      segments: [
        segment({ subnets: ['10.0.0.0/33'], gateways: ['10.0.0'], serverId: 'fd00::2', mac: 'x', guest: { mtu: 1 } }),
        segment({ router: { mac: '0a:00:00:00:00:fe', linkLocal: 'fd00::1' }, transport: 'socket' }),
      ],
    },
    [
      'segments[0].subnets[0]: "10.0.0.0/33" is not a prefix such as 10.1.0.0/16 or fd00:1::/64',
      'segments[0].gateways[0]: "10.0.0" is not an IPv4 or IPv6 address',
      'segments[0].serverId: "fd00::2" is not an IPv4 address',
      'segments[0].mac: "x" is not an Ethernet address',
      'segments[0].guest.mtu: must be at least 576',
      'segments[1].transport: must be one of sockets, frames',
      'segments[1].router.linkLocal: "fd00::1" is not an IPv6 link-local address (fe80::…)',
    ],
  ],
  [
    'what contradicts itself',
    {
      segments: [
        segment({ subnets: ['fd00::/64'], serverId: '10.0.0.2', transport: 'sockets', advertise: true }),
        segment({ subnets: ['10.0.0.0/24'], router: { mac: '0a:00:00:00:00:fe', linkLocal: 'fe80::fe' } }),
      ],
    },
    [
      'segments[0].advertise: sockets cannot send router advertisements; frames can',
      'segments[0].serverId: is for DHCPv4, and there is no IPv4 subnet',
      'segments[1].router: nothing is said in its name unless advertise is true',
    ],
  ],
  [
    'guests that are wrong',
    {
      segments: [
        segment({
          guests: [
            guest(),
            guest({ addresses: ['10.0.0.11', '10.0.1.1', 'x'] }),
            guest({ mac: '52:54:00:00:00:0b', hostName: 'a b', guest: { ntp: ['x'] } }),
            { mac: '52:54:00:00:00:0c', addresses: [], address: '10.0.0.12' },
            guest({ mac: 'x', addresses: ['fd00::a'] }),
          ],
        }),
      ],
    },
    [
      "segments[0].guests[1].mac: 52:54:00:00:00:0a is another guest's already",
      'segments[0].guests[1].addresses[1]: "10.0.1.1" is in none of the subnets',
      'segments[0].guests[1].addresses[2]: "x" is not an address',
      `segments[0].guests[2].addresses[0]: "10.0.0.10" is another guest's already`,
      'segments[0].guests[2].guest.ntp[0]: "x" is not an IPv4 or IPv6 address',
      'segments[0].guests[2].hostName: "a b" is not a host name of one label',
      'segments[0].guests[3].addresses: must have at least 1 entry',
      'segments[0].guests[3].address: is not a field of a guest',
      'segments[0].guests[4].mac: "x" is not an Ethernet address',
    ],
  ],
])('of %s every field that is wrong is named', async (_what, config, expected) => {
  const problems = await problemsOf(config);
  expect(problems).toEqual(
    expected.map((sentence) => (typeof sentence === 'string' ? sentence : expect.stringMatching(sentence))),
  );
});

test('what is wrong in a file of guests is named by its line', async () => {
  const config = { segments: [segment({ guestsFile: 'guests' })] };
  const lines = [JSON.stringify(guest()), '', JSON.stringify(guest({ mac: 'x', addresses: ['10.0.0.11'] })), '{'];
  expect(await problemsOf(config, lines)).toEqual([
    'guests:3.mac: "x" is not an Ethernet address',
    expect.stringMatching(/^guests:4: .*JSON/),
  ]);
  expect(await problemsOf({ segments: [segment({ guestsFile: 'nowhere' })] })).toEqual([
    expect.stringMatching(/^nowhere: ENOENT/),
  ]);
});

test('of a hundred wrong lines twenty are shown', () => {
  const { message } = new ConfigError(Array.from({ length: 100 }, (_, i) => `guests:${i}: wrong`));
  expect(message.split('\n')).toHaveLength(21);
  expect(message).toMatch(/… and 80 more$/);
});
