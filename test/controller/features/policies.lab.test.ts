import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { Daemon } from '#test/lab/topology/daemon.ts';
import { untilSocketAccepts } from '#test/lab/topology/until-socket.ts';
import { northboundBed } from '../northbound/northbound-bed.ts';
import { freshReplay } from '../recordings.ts';

const execute = promisify(execFile);
type Json = Readonly<Record<string, unknown>>;

const pod = (name: string, labels: Json): Json => ({
  metadata: { namespace: 'shop', name, uid: name, labels },
  spec: { nodeName: 'node-a' },
});

/** A real northd on the bed's database, and what ovn-trace says of a packet from one port to another. */
async function traceBed() {
  const bed = await northboundBed();
  const database = join(bed.folder, 'sb.db');
  const socket = join(bed.folder, 'sb.sock');
  const northbound = `unix:${join(bed.folder, 'nb.sock')}`;
  await execute('ovsdb-tool', ['create', database, '/usr/share/ovn/ovn-sb.ovsschema']);
  const daemon = (name: string, command: string, args: readonly string[], ready?: string) =>
    new Daemon({
      name,
      command,
      args: [...args, '--no-chdir', `--unixctl=${join(bed.folder, `${command}-sb.ctl`)}`, '-vsyslog:off'],
      logFile: join(bed.folder, `${name}.log`),
      ...(ready !== undefined && { ready: (_pid: number, signal: AbortSignal) => untilSocketAccepts(ready, signal) }),
    });
  const southbound = daemon('southbound', 'ovsdb-server', [`--remote=punix:${socket}`, database], socket);
  await southbound.start();
  const northd = daemon('northd', 'ovn-northd', [`--ovnnb-db=${northbound}`, `--ovnsb-db=unix:${socket}`]);
  await northd.start();
  return {
    bed,
    /** What happens to a packet: `output` or `drop`. `match` is in the words of ovn-trace(8). */
    async trace(from: string, match: string): Promise<string> {
      await bed.nbctl('--wait=sb', 'sync');
      const flow = `inport == "${from}" && ${match}`;
      const args = [`--db=unix:${socket}`, '--summary', '--ct=new', flow];
      const { stdout } = await execute('ovn-trace', args);
      return /output to "(?!clusternetwork)/.test(stdout) ? 'output' : 'drop';
    },
    async [Symbol.asyncDispose]() {
      await northd[Symbol.asyncDispose]();
      await southbound[Symbol.asyncDispose]();
      await bed[Symbol.asyncDispose]();
    },
  };
}

test('on a real OVN a policy lets in what its rules allow, neighbour discovery too, and nothing else', async () => {
  await using ovn = await traceBed();
  const replay = freshReplay();
  const put = (kind: string, object: Json) => replay.apply({ type: 'MODIFIED', kind, object });
  put('Pod', pod('web', { app: 'web' }));
  put('Pod', pod('front', { app: 'front' }));
  put('Pod', pod('stranger', { app: 'x' }));
  const ingress = [{ from: [{ podSelector: { matchLabels: { app: 'front' } } }], ports: [{ port: 80 }] }];
  const spec = { podSelector: { matchLabels: { app: 'web' } }, ingress };
  put('NetworkPolicy', { metadata: { namespace: 'shop', name: 'web', uid: 'policy' }, spec });
  await replay.core.settle();
  await ovn.bed.writer(replay.core.engine.board);

  const addresses = new Map(
    [...replay.core.tables.addresses.rows()].map(([port, { mac, ips }]) => [port, { mac, v4: ips[0], v6: ips[1] }]),
  );
  const of = (name: string) => addresses.get(`pod/shop/${name}`) ?? { mac: '', v4: '', v6: '' };
  const packet = (from: string, to: string, rest: string, family: 4 | 6 = 4) => {
    const [a, b] = [of(from), of(to)];
    const ip = family === 4 ? `ip4.src == ${a.v4} && ip4.dst == ${b.v4}` : `ip6.src == ${a.v6} && ip6.dst == ${b.v6}`;
    return ovn.trace(
      `pod/shop/${from}`,
      `eth.src == ${a.mac} && eth.dst == ${b.mac} && ${ip} && ip.ttl == 64 && ${rest}`,
    );
  };
  expect({
    'allowed port': await packet('front', 'web', 'tcp.dst == 80'),
    'allowed port, IPv6': await packet('front', 'web', 'tcp.dst == 80', 6),
    'other port': await packet('front', 'web', 'tcp.dst == 81'),
    stranger: await packet('stranger', 'web', 'tcp.dst == 80'),
    'stranger, IPv6': await packet('stranger', 'web', 'tcp.dst == 80', 6),
    'not selected': await packet('stranger', 'front', 'tcp.dst == 80'),
  }).toEqual({
    'allowed port': 'output',
    'allowed port, IPv6': 'output',
    'other port': 'drop',
    stranger: 'drop',
    'stranger, IPv6': 'drop',
    'not selected': 'output',
  });
  const solicitation = `nd_ns && ip6.src == ${of('stranger').v6} && ip6.dst == ${of('web').v6} && nd.target == ${of('web').v6} && ip.ttl == 255 && nd.sll == ${of('stranger').mac}`;
  const ethernet = `eth.src == ${of('stranger').mac} && eth.dst == ${of('web').mac}`;
  expect(await ovn.trace('pod/shop/stranger', `${ethernet} && ${solicitation}`)).toBe('output');
});
