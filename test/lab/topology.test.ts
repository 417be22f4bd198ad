import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { prepare } from '#test/setup/prepare.ts';
import { cleanUpDeadLabs, down } from './topology/clean-up.ts';
import { run } from './topology/command.ts';
import { LabExists, labState } from './topology/lab-folder.ts';
import type { TopologyNode } from './topology/node.ts';
import { startTopology, type Topology } from './topology/topology.ts';

const id = 'topologytest';

const otherOvn = '25.03';

beforeAll(() => prepare({ ovn: otherOvn, log: console.log }));
afterEach(() => down(id));

test.each([
  ['the OVN of this machine', {}],
  [`OVN ${otherOvn}`, { ovn: otherOvn }],
])(
  '%s: ports on different nodes reach each other over geneve, v4 and v6, with frames of 1500 bytes',
  async (_, version) => {
    await using topology = await startTopology({ ...version, id, nodes: 3 });
    await Promise.all(topology.nodes.map((node) => makeChassis(topology, node)));
    await topology.nbctl('ls-add', 'net');
    const [a, b] = await Promise.all([
      plugPod(topology, topology.node('node-a'), { name: 'pod-a', mac: '0a:00:00:00:00:0a', hostNumber: 10 }),
      plugPod(topology, topology.node('node-b'), { name: 'pod-b', mac: '0a:00:00:00:00:0b', hostNumber: 11 }),
    ]);
    await topology.nbctl('--wait=hv', 'sync');

    // 1472 and 1452 bytes of payload make packets of 1500 bytes.
    const v4 = await run('ping', ['-c', '2', '-i', '0.01', '-s', '1472', '-M', 'do', b.ipv4], { netns: a.netns });
    const v6 = await run('ping', ['-c', '2', '-i', '0.01', '-s', '1452', '-M', 'do', b.ipv6], { netns: a.netns });
    expect(v4).toContain('2 packets transmitted, 2 received, 0% packet loss');
    expect(v6).toContain('2 packets transmitted, 2 received, 0% packet loss');
    expect(await topology.node('node-a').vsctl('--bare', '--columns=name', 'find', 'Interface', 'type=geneve')).toMatch(
      /^ovn-node-b-0$/m,
    );
  },
);

test('a node is handed over with br-phys and without anything that makes it a chassis', async () => {
  await using topology = await startTopology({ id, nodes: 1 });
  const node = topology.node('node-a');
  expect(JSON.parse(await node.vsctl('get', 'Open_vSwitch', '.', 'external_ids').then(asJson))).toEqual({
    'ovn-bridge-datapath-type': 'netdev',
  });
  expect(await node.exec('ip', ['-br', '-4', 'addr', 'show', 'dev', 'br-phys'])).toContain(`${node.encapIp}/24`);
});

test('an ovs-vswitchd that was killed and started again can tunnel to the other nodes at once', async () => {
  await using topology = await startTopology({ id, nodes: 2 });
  const [node, peer] = [topology.node('node-a'), topology.node('node-b')];
  await node.vswitchd.kill();
  await node.vswitchd.start();
  expect(await node.appctl('ovs/route/lookup', peer.encapIp)).toContain(`src ${node.encapIp}`);
  expect(await node.appctl('tnl/neigh/show')).toContain(peer.encapIp);
});

test('a daemon that ends by itself is reported, one that is killed on purpose is not', async () => {
  const lines: string[] = [];
  await using topology = await startTopology({ id, nodes: 1, log: (line) => lines.push(line) });
  const { ovnController, vswitchd } = topology.node('node-a');
  await vswitchd.kill();
  process.kill(Number(ovnController.pid), 'SIGKILL');
  await ovnController.untilEnd();
  expect(lines).toEqual([`node-a: ovn-controller ended with SIGKILL; its log is ${ovnController.logFile}`]);
});

test('labs run side by side, and one that goes leaves the other alone', async () => {
  await using first = await startTopology({ id, nodes: 1 });
  const second = await startTopology({ id: `${id}2`, nodes: 1 });
  await expect(startTopology({ id, nodes: 1 })).rejects.toThrow(`lab ${id} is there already (live)`);
  await second[Symbol.asyncDispose]();
  expect(await first.nbctl('show')).toBe('');
  expect(await first.node('node-a').appctl('version')).toContain('Open vSwitch');
});

test('after disposing nothing is left', async () => {
  const before = traces();
  const topology = await startTopology({ id, nodes: 2 });
  const netns = await topology.addNamespace('pod');
  const sleeper = topology.node('node-a').daemon({ name: 'sleeper', command: 'sleep', args: ['1000'] });
  await sleeper.start();
  expect(traces()).not.toEqual(before);
  expect(existsSync(`/run/netns/${netns}`)).toBe(true);
  await topology[Symbol.asyncDispose]();
  expect(traces()).toEqual(before);
});

test('a lab whose owner was killed with -9 is cleaned up, with what it started outside its namespaces', async () => {
  const before = traces();
  const owner = await ownerProcess(`
    const topology = await startTopology({ id: '${id}', nodes: 2 });
    const stray = spawn('sleep', ['1000'], { env: topology.env, stdio: 'ignore', detached: true });
    process.stdout.write('up\\n');
  `);
  expect(await labState(id)).toBe('live');
  expect(await cleanUpDeadLabs()).not.toContain(id);

  process.kill(Number(owner.pid), 'SIGKILL');
  await once(owner, 'exit');
  await cleanUpDeadLabs(); // The undertaker is at it as well; whoever gets the lock does the work.
  expect(traces()).toEqual(before);
});

test('a lab whose owner is interrupted is cleaned up without anybody asking', async () => {
  const before = traces();
  const owner = await ownerProcess(`
    await startTopology({ id: '${id}', nodes: 1 });
    process.stdout.write('up\\n');
  `);
  owner.kill('SIGINT');
  await expect.poll(traces, { timeout: 30_000 }).toEqual(before);
});

test('namespaces whose folder is gone are cleaned up', async () => {
  const netns = `hawser-${id}-node-a`;
  await run('ip', ['netns', 'add', netns]);
  expect(await cleanUpDeadLabs()).toEqual([id]);
  expect(existsSync(`/run/netns/${netns}`)).toBe(false);
});

test('a kept lab outlives its owner until it is taken down', async () => {
  const before = traces();
  const owner = await ownerProcess(`
    const topology = await startTopology({ id: '${id}', nodes: 1 });
    await topology.keep();
    await topology[Symbol.asyncDispose]();
    process.stdout.write('up\\n');
  `);
  process.kill(Number(owner.pid), 'SIGKILL');
  await once(owner, 'exit');
  await cleanUpDeadLabs();
  expect(await labState(id)).toBe('kept');
  expect(await run('ovn-nbctl', [`--db=unix:/run/hawser-lab/${id}/central/nb.sock`, 'show'])).toBe('');
  await expect(startTopology({ id, nodes: 1 })).rejects.toThrow(LabExists);

  await down(id);
  expect(traces()).toEqual(before);
});

/** What the node agent does on a real node, as little of it as makes a chassis. */
async function makeChassis(topology: Topology, node: TopologyNode): Promise<void> {
  await node.vsctl(
    ...['--may-exist', 'add-br', 'br-int', '--', 'set', 'Bridge', 'br-int', 'datapath_type=netdev', 'fail-mode=secure'],
    ...['--', 'set', 'Open_vSwitch', '.', `external_ids:system-id=${node.name}`, `external_ids:hostname=${node.name}`],
    ...[`external_ids:ovn-remote="${topology.central.sbTcp}"`, 'external_ids:ovn-encap-type=geneve'],
    `external_ids:ovn-encap-ip=${node.encapIp}`,
  );
}

/** A logical switch port with a veth behind it, the other end in a namespace of its own. */
async function plugPod(topology: Topology, node: TopologyNode, pod: { name: string; mac: string; hostNumber: number }) {
  const { name, mac, hostNumber } = pod;
  const [ipv4, ipv6] = [`10.0.0.${hostNumber}`, `fd00::${hostNumber}`];
  const netns = await topology.addNamespace(name);
  await node.exec(
    'ip',
    ['-batch', '-'],
    [`link add name ${name} type veth peer name eth0 address ${mac} netns ${netns}`, `link set ${name} up`, ''].join(
      '\n',
    ),
  );
  await run('ip', ['-batch', '-'], {
    netns,
    input: [`addr add ${ipv4}/24 dev eth0`, `addr add ${ipv6}/64 dev eth0 nodad`, 'link set eth0 up', ''].join('\n'),
  });
  await run('ethtool', ['-K', 'eth0', 'tx', 'off'], { netns });
  await topology.nbctl('lsp-add', 'net', name, '--', 'lsp-set-addresses', name, `${mac} ${ipv4} ${ipv6}`);
  await node.vsctl('add-port', 'br-int', name, '--', 'set', 'Interface', name, `external_ids:iface-id=${name}`);
  return { netns, ipv4, ipv6 };
}

/** A process that runs `script` with `startTopology` at hand, once it has written its first line. */
async function ownerProcess(script: string) {
  const topology = fileURLToPath(new URL('./topology/topology.ts', import.meta.url));
  const code = `
    import { spawn } from 'node:child_process';
    import { startTopology } from '${topology}';
    ${script}
    setInterval(() => {}, 1000);
  `;
  const owner = spawn(process.execPath, ['--input-type=module-typescript', '--eval', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const first = await Promise.race([once(owner.stdout, 'data'), once(owner, 'exit')]);
  expect(String(first[0])).toBe('up\n');
  return owner;
}

/** Everything a lab could leave on the machine, as far as it has this lab's name in it. */
function traces() {
  const named = (text: string) => text.includes(id);
  const processes = readdirSync('/proc').filter((pid) => {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
      return named(environment) || (named(readFileSync(`/proc/${pid}/cmdline`, 'utf8')) && pid !== String(process.pid));
    } catch {
      return false;
    }
  });
  return {
    processes,
    namespaces: existsSync('/run/netns') ? readdirSync('/run/netns').filter(named) : [],
    mounts: readFileSync('/proc/self/mounts', 'utf8').split('\n').filter(named),
    folders: existsSync('/run/hawser-lab') ? readdirSync('/run/hawser-lab').filter(named) : [],
  };
}

/** `{a=b, "c-d"=e}` as ovs-vsctl prints a map, to JSON. */
function asJson(map: string): string {
  return map.replaceAll(/([\w-]+|"[^"]*")=([\w-]+|"[^"]*")/g, (_, key: string, value: string) =>
    [key, value].map((word) => JSON.stringify(word.replaceAll('"', ''))).join(':'),
  );
}
