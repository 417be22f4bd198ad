import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { KubeApi } from '#controller/kube/api.ts';
import { loadCredentials } from '#controller/kube/credentials.ts';
import { ipamClaims } from '#controller/kube/kinds.ts';
import { listNow } from '#controller/kube/list-now.ts';
import { startKubeApi } from '#test/lab/kube-api/server.ts';
import { Daemon } from '#test/lab/topology/daemon.ts';
import { northboundBed } from './northbound/northbound-bed.ts';
import { southboundBed } from './southbound-bed.ts';

type Json = Readonly<Record<string, unknown>>;

/** Two controllers that elect a leader, as processes, on a Kubernetes API and real databases. */
async function twoControllers() {
  const stack = new AsyncDisposableStack();
  const bed = stack.use(await northboundBed());
  const at = (file: string) => join(bed.folder, file);
  const { remote } = stack.use(await southboundBed(bed.folder));
  const server = stack.use(await startKubeApi());
  await writeFile(at('kubeconfig'), server.kubeconfig());
  const config = {
    northbound: [`unix:${at('nb.sock')}`],
    southbound: [remote],
    kubeconfig: at('kubeconfig'),
    leaderElection: { namespace: 'default' },
  };
  await writeFile(at('config.json'), JSON.stringify(config));
  const main = fileURLToPath(new URL('../../controller/main.ts', import.meta.url));
  const controllers = ['first', 'second'].map((name) =>
    stack.use(
      new Daemon({
        name,
        command: process.execPath,
        args: [main, '--config', at('config.json')],
        logFile: at(`${name}.log`),
      }),
    ),
  );
  const api = new KubeApi(loadCredentials({ text: server.kubeconfig() }));
  stack.defer(() => api.close());
  const owned = stack.move();
  return {
    bed,
    controllers,
    api,
    log: (name: string) => readFile(at(`${name}.log`), 'utf8'),
    /** Port → its addresses, as the northbound database has them. */
    async ports(): Promise<ReadonlyMap<string, string>> {
      const text = await bed.nbctl('--format=json', '--columns=name,addresses', 'list', 'Logical_Switch_Port');
      const { data }: { readonly data: readonly (readonly [string, string])[] } = JSON.parse(text);
      return new Map(data.filter(([name]) => name.startsWith('vm/')));
    },
    async claims() {
      const claims = new Map<string, readonly string[]>();
      for await (const { name, ips } of listNow(api, ipamClaims, AbortSignal.timeout(20_000))) claims.set(name, ips);
      return claims;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const vm = (name: string): Json => ({
  apiVersion: 'kubevirt.io/v1',
  kind: 'VirtualMachine',
  metadata: { namespace: 'default', name },
  spec: { runStrategy: 'Always', template: { spec: { domain: { devices: {} } } } },
});

async function run(api: KubeApi, name: string): Promise<void> {
  const kubevirt = '/apis/kubevirt.io/v1/namespaces/default';
  const made = Object(await api.create(`${kubevirt}/virtualmachines`, vm(name)));
  await api.create(`${kubevirt}/virtualmachineinstances`, {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstance',
    metadata: {
      namespace: 'default',
      name,
      ownerReferences: [
        { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachine', name, uid: made.metadata.uid, controller: true },
      ],
    },
    spec: {
      networks: [{ name: 'default', pod: {} }],
      domain: { devices: { interfaces: [{ name: 'default', binding: { name: 'hawser' } }] } },
    },
  });
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(50);
}

test('a leader that is stopped in the middle of its work, and goes on when another leads, gives no address twice', async () => {
  await using it = await twoControllers();
  await it.api.create('/apis/hawser.dev/v1alpha1/clusternetworks', {
    apiVersion: 'hawser.dev/v1alpha1',
    kind: 'ClusterNetwork',
    metadata: { name: 'default' },
    spec: { topology: 'overlay', role: 'primary', subnets: ['10.244.0.0/16', 'fd00:10:244::/64'] },
  });
  const [first, second] = it.controllers;
  await first?.start();
  await run(it.api, 'before');
  await until(async () => (await it.ports()).size === 1);
  await second?.start();
  const names = Array.from({ length: 60 }, (_, i) => `vm${i}`);
  for (const name of names.slice(0, 30)) await run(it.api, name);
  first?.signal('SIGSTOP');
  for (const name of names.slice(30)) await run(it.api, name);
  await until(async () => (await it.ports()).size === 61);
  first?.signal('SIGCONT');
  await first?.untilEnd();
  const [ports, claims] = [await it.ports(), await it.claims()];
  const given = [...claims.values()].flat();
  expect(new Set(given).size).toBe(2 * 61);
  for (const [name, ips] of claims) {
    const addresses = ports.get(`vm/default/${name.replace('.default', '')}`);
    expect(addresses?.split(' ').slice(1)).toEqual(ips.map((ip) => ip.split('/')[0]));
  }
  expect(await it.log('second')).not.toContain('"level":50');
}, 120_000);
