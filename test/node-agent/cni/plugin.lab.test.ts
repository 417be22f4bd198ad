import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { buildPlugin } from '#node-agent/cni/build.ts';
import { callPlugin } from '#test/lab/kubelet/sandbox.ts';
import { type Bed, startBed } from '../bed.ts';
import { makePort } from '../lab-ports.ts';

let bed: Bed;
/** Installed by the agent, as on a real node. */
let plugin: string;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hawser-cni-'));
  plugin = join(folder, 'bin', 'hawser');
  bed = await startBed(1, {
    cni: {
      confFile: join(folder, 'net.d', '10-hawser.conflist'),
      binFolder: join(folder, 'bin'),
      plugin: await buildPlugin(),
      withdrawAfterSeconds: 0.2,
    },
  });
});
afterAll(async () => {
  await bed?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Executes the plugin with exactly this environment and standard input. */
async function execute(env: Readonly<Record<string, string>>, stdin: string) {
  const child = spawn(plugin, { env: { PATH: process.env.PATH ?? '', ...env }, stdio: ['pipe', 'pipe', 'ignore'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  // It may end without having read what is of no use to it.
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.on('close', resolve);
  return { status: await promise, stdout };
}

const conf = (changes: object = {}) => JSON.stringify({ ...bed.agent('node-a').cniConf, ...changes });

const env = {
  CNI_COMMAND: 'ADD',
  CNI_CONTAINERID: 'c1',
  CNI_NETNS: '/run/netns/none',
  CNI_IFNAME: 'eth0',
  CNI_PATH: '/opt/cni/bin',
  CNI_ARGS: 'K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0;K8S_POD_UID=u1',
};

/** The success object of the specification 1.1.0, and what older versions may not have. */
const result = z.strictObject({
  cniVersion: z.string(),
  interfaces: z.array(
    z.strictObject({
      name: z.string(),
      mac: z.string(),
      mtu: z.number().optional(),
      sandbox: z.string().optional(),
    }),
  ),
  ips: z.array(
    z.strictObject({
      version: z.enum(['4', '6']).optional(),
      address: z.string(),
      gateway: z.string(),
      interface: z.literal(1),
    }),
  ),
  routes: z.array(z.strictObject({ dst: z.string(), gw: z.string() })),
  dns: z.strictObject({ nameservers: z.array(z.string()).optional() }),
});

test.each([
  { cniVersion: '0.3.0', hasIpVersion: true, hasMtu: false },
  { cniVersion: '0.3.1', hasIpVersion: true, hasMtu: false },
  { cniVersion: '0.4.0', hasIpVersion: true, hasMtu: false },
  { cniVersion: '1.0.0', hasIpVersion: false, hasMtu: false },
  { cniVersion: '1.1.0', hasIpVersion: false, hasMtu: true },
])('ADD and DEL speak $cniVersion', async ({ cniVersion, hasIpVersion, hasMtu }) => {
  const pod = await bed.pod('node-a');
  await makePort(bed.topology, pod.port);
  const printed = await pod.sandbox.call('ADD', { cniVersion, dns: { nameservers: ['10.96.0.10'] } });
  const added = result.parse(JSON.parse(printed));
  expect(added.cniVersion).toBe(cniVersion);
  expect(added.ips.map(({ version }) => version)).toEqual(hasIpVersion ? ['4', '6'] : [undefined, undefined]);
  expect(added.interfaces.map(({ mtu }) => mtu)).toEqual(hasMtu ? [1400, 1400] : [undefined, undefined]);
  expect(added.dns).toEqual({ nameservers: ['10.96.0.10'] });
  expect(await pod.sandbox.call('DEL', { cniVersion, prevResult: added })).toBe('');
});

test('VERSION needs no agent and no configuration', async () => {
  const { status, stdout } = await execute({ CNI_COMMAND: 'VERSION' }, '');
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    cniVersion: '1.1.0',
    supportedVersions: ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'],
  });
});

test('a node that cannot serve ADD has no CNI configuration, and gets it back', async () => {
  const confFiles = () => readdir(join(folder, 'net.d'));
  const patient = { timeout: 20_000 };
  await expect.poll(confFiles, patient).toEqual(['10-hawser.conflist']);
  expect(JSON.parse(await readFile(join(folder, 'net.d', '10-hawser.conflist'), 'utf8'))).toMatchObject({
    plugins: [{ type: 'hawser', socket: bed.agent('node-a').socket }],
  });
  await bed.topology.central.sbServer.kill();
  await expect.poll(confFiles, patient).toEqual([]);
  expect(await execute({ CNI_COMMAND: 'STATUS' }, conf())).toMatchObject({ status: 1 });
  await bed.topology.central.sbServer.start();
  await expect.poll(confFiles, patient).toEqual(['10-hawser.conflist']);
});

test('STATUS of a node that serves prints nothing', async () => {
  expect(await execute({ CNI_COMMAND: 'STATUS', CNI_PATH: '/opt/cni/bin' }, conf())).toEqual({ status: 0, stdout: '' });
  expect(await bed.agent('node-a').send('GET', '/healthz')).toEqual({ status: 200, body: 'ok' });
});

test('the metrics split an ADD into its phases', async () => {
  const pod = await bed.pod('node-a');
  await makePort(bed.topology, pod.port);
  const counts = async () => {
    const { body } = await bed.agent('node-a').send('GET', '/metrics');
    const found = body.matchAll(/^hawser_cni_add_phase_seconds_count\{phase="(\w+)"\} (\d+)$/gm);
    return new Map([...found].map(([, phase, count]) => [phase, Number(count)]));
  };
  const before = await counts();
  await pod.sandbox.add();
  const one = (phase: string): [string, number] => [phase, (before.get(phase) ?? 0) + 1];
  expect(await counts()).toEqual(new Map([one('requested'), one('plumbed'), one('installed')]));
  await pod.sandbox.call('DEL');
});

test.each([
  ['no verb', { CNI_COMMAND: '' }, {}, 4],
  ['no container', { CNI_CONTAINERID: '' }, {}, 4],
  ['no pod', { CNI_ARGS: '' }, {}, 4],
  ['a name longer than Linux takes', { CNI_IFNAME: 'abcdefghijklmnop' }, {}, 4],
  ['a version of the future', {}, { cniVersion: '9.0.0' }, 1],
  ['a network without a name', {}, { name: '' }, 7],
])('%s is an error in the form of the specification', async (_, envChanges, confChanges, code) => {
  const { status, stdout } = await execute({ ...env, ...envChanges }, conf(confChanges));
  expect(status).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ cniVersion: expect.any(String), code, msg: expect.any(String) });
});

test('a configuration that is cut off is an error in the form of the specification', async () => {
  // Cut after the socket, which it is sent to; the default socket has no agent behind it here.
  const { status, stdout } = await execute(env, conf().slice(0, -1));
  expect(status).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ code: expect.any(Number), msg: expect.any(String) });
});

test('in a chain the result of the plugins before is kept and ours added', async () => {
  const pod = await bed.pod('node-a');
  await makePort(bed.topology, pod.port);
  const before = {
    interfaces: [{ name: 'lo', sandbox: '/run/netns/x' }],
    ips: [{ address: '127.0.0.2/8', interface: 0 }],
  };
  const { interfaces, ips } = await pod.sandbox.add({ prevResult: { cniVersion: '1.1.0', ...before } });
  expect(interfaces).toMatchObject([{ name: 'lo' }, {}, { name: 'eth0' }]);
  expect(ips).toMatchObject([{ interface: 0 }, { address: `${pod.ipv4}/16`, interface: 2 }, { interface: 2 }]);
});

test("Debian's bandwidth and portmap, which come after ours in a chain, find in its result what they work on", async () => {
  const pod = await bed.pod('node-a');
  await makePort(bed.topology, pod.port);
  const node = bed.topology.node('node-a');
  const cniVersion = '1.0.0'; // what Debian's know
  const result = await pod.sandbox.add({ cniVersion });
  const chained = async (verb: string, type: string, runtimeConfig: object) => {
    const cniConf = { cniVersion, name: 'hawser', type, runtimeConfig, prevResult: result };
    const { name, uid, containerId, netns } = pod.sandbox;
    return await callPlugin(
      { nodeNetns: node.netns, cniPlugin: `/usr/lib/cni/${type}`, cniConf },
      verb,
      { metadata: { name, namespace: 'default', uid, resourceVersion: '' } },
      { containerId, netnsPath: `/run/netns/${netns}` },
    );
  };
  const bandwidth = { bandwidth: { ingressRate: 8_000_000, ingressBurst: 8_000_000 } };
  const portMappings = { portMappings: [{ hostPort: 8080, containerPort: 7, protocol: 'tcp' }] };
  expect(JSON.parse(await chained('ADD', 'bandwidth', bandwidth)).ips).toEqual(result.ips);
  expect(await node.exec('tc', ['qdisc', 'show', 'dev', result.interfaces[0]?.name ?? ''])).toContain('tbf');
  expect(JSON.parse(await chained('ADD', 'portmap', portMappings)).ips).toEqual(result.ips);
  const translations = () => node.exec('iptables', ['-t', 'nat', '-S']);
  expect(await translations()).toContain(`--to-destination ${pod.ipv4}:7`);
  await chained('DEL', 'portmap', portMappings);
  await chained('DEL', 'bandwidth', bandwidth);
  expect(await translations()).not.toContain(pod.ipv4);
  await pod.sandbox.call('DEL', { cniVersion, prevResult: result });
});

test('two ADDs at once for one container: one is served, the other told to try again', async () => {
  const pod = await bed.pod('node-a');
  const [one, other] = [pod.sandbox.add(), pod.sandbox.add()];
  const first = await Promise.race([
    one.then(() => 'served').catch(({ code }) => code),
    other.then(() => 'served').catch(({ code }) => code),
  ]);
  expect(first).toBe(11);
  await makePort(bed.topology, pod.port);
  const outcomes = await Promise.allSettled([one, other]);
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(await bed.interfacesFor('node-a', pod.port.name)).toHaveLength(1);
});

test('a runtime that gives up on ADD and sends DEL finds nothing left', async () => {
  const pod = await bed.pod('node-a');
  const node = bed.topology.node('node-a');
  await makePort(bed.topology, pod.port);
  node.ovnController.signal('SIGSTOP');
  const giveUp = new AbortController();
  const adding = pod.sandbox.call('ADD', {}, giveUp.signal).catch(() => 'gave up');
  await expect.poll(() => bed.interfacesFor('node-a', pod.port.name)).toHaveLength(1);
  giveUp.abort();
  expect(await adding).toBe('gave up');
  await pod.sandbox.call('DEL');
  node.ovnController.signal('SIGCONT');
  expect(await bed.interfacesFor('node-a', pod.port.name)).toEqual([]);
  expect((await bed.devices('node-a')).filter((name) => name.startsWith('hp')).length).toBe(
    (await node.vsctl('list-ports', 'br-int')).split('\n').filter((name) => name.startsWith('hp')).length,
  );
});
