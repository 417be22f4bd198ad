import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { Controller } from '#controller/controller.ts';
import { KubeApi, type RequestSettings } from '#controller/kube/api.ts';
import { loadCredentials } from '#controller/kube/credentials.ts';
import { connect } from '#ovsdb/client.ts';
import { ovnNorthbound } from '#ovsdb/schemas/ovn-northbound.ts';
import { startKubeApi } from '#test/lab/kube-api/server.ts';
import { northboundBed } from './northbound/northbound-bed.ts';
import { southboundBed } from './southbound-bed.ts';

type Json = Readonly<Record<string, unknown>>;

/** Every list of one resource waits until it is let go. */
class HoldingApi extends KubeApi {
  readonly #held: string | undefined;
  readonly #released = Promise.withResolvers<void>();

  constructor(kubeconfig: string, held?: string) {
    super(loadCredentials({ text: kubeconfig }));
    this.#held = held;
  }

  release(): void {
    this.#released.resolve();
  }

  override async get(path: string, settings?: RequestSettings): Promise<unknown> {
    if (path.endsWith(`/${this.#held}`)) await this.#released.promise;
    return super.get(path, settings);
  }
}

/** A Kubernetes API and real databases, on which controllers run one after another in this process. */
async function clusterBed() {
  await using stack = new AsyncDisposableStack();
  const bed = stack.use(await northboundBed());
  const { remote } = stack.use(await southboundBed(bed.folder));
  const server = stack.use(await startKubeApi());
  const api = new KubeApi(loadCredentials({ text: server.kubeconfig() }));
  stack.defer(() => api.close());
  const owned = stack.move();
  return {
    bed,
    server,
    api,
    /** A controller in this process; `inSync` resolves when it has written all there is to write. */
    async controller(held?: string) {
      const stop = new AbortController();
      const kube = new HoldingApi(server.kubeconfig(), held);
      const southboundClient = await connect({ remotes: [remote] });
      const { promise: inSync, resolve } = Promise.withResolvers<void>();
      const log = pino({ level: 'info' }, { write: (line: string) => line.includes('"in sync"') && resolve() });
      const controller = new Controller({
        api: kube,
        northbound: bed.client,
        southbound: southboundClient,
        features: { networkDefaults: { mtu: 1400 }, bindingPlugins: { hawser: 'managedTap' } },
        log,
        sleep: (milliseconds) => pause(Math.min(milliseconds, 20), undefined, { ref: false }),
        signal: stop.signal,
      });
      const run = controller.run();
      return {
        inSync,
        release: () => kube.release(),
        async [Symbol.asyncDispose]() {
          stop.abort();
          kube.release();
          await run;
          kube.close();
          await southboundClient.close();
        },
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const kubevirt = '/apis/kubevirt.io/v1/namespaces/default';
const podsPath = '/api/v1/namespaces/default/pods';

async function runVm(api: KubeApi, name: string, annotations: Json = {}): Promise<void> {
  const made = Object(
    await api.create(`${kubevirt}/virtualmachines`, {
      apiVersion: 'kubevirt.io/v1',
      kind: 'VirtualMachine',
      metadata: { namespace: 'default', name, annotations },
      spec: { runStrategy: 'Always', template: { spec: { domain: { devices: {} } } } },
    }),
  );
  await api.create(`${kubevirt}/virtualmachineinstances`, {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstance',
    metadata: {
      namespace: 'default',
      name,
      labels: { app: 'db' },
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

async function runPod(api: KubeApi, name: string, annotations: Json = {}): Promise<void> {
  await api.create(podsPath, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'default', name, annotations, labels: { app: 'db' } },
    spec: { nodeName: 'node-a', containers: [{ name: 'c', image: 'none' }] },
  });
}

async function createNetwork(api: KubeApi, name: string, spec: Json): Promise<void> {
  await api.create('/apis/hawser.dev/v1alpha1/clusternetworks', {
    apiVersion: 'hawser.dev/v1alpha1',
    kind: 'ClusterNetwork',
    metadata: { name },
    spec: { topology: 'overlay', role: 'primary', ...spec },
  });
}

test('as long as one source has not been read nothing is written, given away or removed, whichever it is', async () => {
  await using it = await clusterBed();
  const { api, bed } = it;
  await createNetwork(api, 'default', { subnets: ['10.244.0.0/16', 'fd00:10:244::/64'] });
  await api.create('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-a' } });
  await runVm(api, 'db');
  await runPod(api, 'web');
  await api.create('/apis/networking.k8s.io/v1/namespaces/default/networkpolicies', {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { namespace: 'default', name: 'deny' },
    spec: { podSelector: { matchLabels: { app: 'db' } } },
  });
  const ports = async () => (await bed.nbctl('--bare', '--columns=name', 'list', 'Logical_Switch_Port')).split(/\s+/);
  {
    await using first = await it.controller();
    await first.inSync;
    while (!(await ports()).includes('vm/default/db')) await pause(10);
  }
  const resources = [
    ...['nodes', 'namespaces', 'pods', 'virtualmachines', 'virtualmachineinstances'],
    ...['virtualmachineinstancemigrations', 'clusternetworks', 'networks', 'ipamclaims', 'networkpolicies'],
    'virtualmachinenetworks',
  ];
  await using replica = await bed.client.replicate(ovnNorthbound, {
    Logical_Switch: { columns: ['name', 'ports'] },
    Logical_Switch_Port: { columns: ['name', 'addresses', 'options', 'external_ids'] },
    Logical_Router_Port: { columns: ['name'] },
    Port_Group: { columns: ['name', 'ports', 'acls'] },
    ACL: { columns: ['match'] },
    DHCP_Options: { columns: ['options'] },
  });
  const changes: string[] = [];
  for (const held of resources) {
    const stopListening = replica.onChanges((change) => changes.push(`${held}: ${JSON.stringify(change)}`));
    await using controller = await it.controller(held);
    // All the others have been read, and are watched.
    while (it.server.watches < resources.length - 1) await pause(5);
    await pause(30);
    controller.release();
    await controller.inSync;
    stopListening();
  }
  expect(changes).toEqual([]);
  const written = it.server.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/ipamclaims'));
  expect(written).toHaveLength(1);
}, 60_000);

test('each trouble with addresses is told on its object, in an Event and a condition, and is over without a restart', async () => {
  await using it = await clusterBed();
  const { api, bed } = it;
  const wanting = (ip: string) => ({ 'network.kubevirt.io/addresses': `{"default":["${ip}"]}` });
  await createNetwork(api, 'default', { subnets: ['10.244.0.0/29'] });
  const claim = (name: string) => `/apis/k8s.cni.cncf.io/v1alpha1/namespaces/default/ipamclaims/${name}`;
  await using controller = await it.controller();
  await controller.inSync;
  for (const [i, name] of ['one', 'two', 'three', 'four'].entries())
    await runPod(api, name, {
      'v1.multus-cni.io/default-network': JSON.stringify([{ name: 'default', ips: [`10.244.0.${i + 2}`] }]),
    });
  const ports = async () => (await bed.nbctl('--bare', '--columns=name', 'list', 'Logical_Switch_Port')).split(/\s+/);
  while ((await ports()).filter((name) => name.startsWith('pod/')).length < 4) await pause(10);
  await runVm(api, 'taken', wanting('10.244.0.2'));
  await runVm(api, 'outside', wanting('192.168.0.1'));
  await runVm(api, 'last');
  while (!(await ports()).includes('vm/default/last')) await pause(10);
  await runVm(api, 'toomany');
  // Somebody's claim for an address that the VM `last` has.
  await api.create('/apis/k8s.cni.cncf.io/v1alpha1/namespaces/default/ipamclaims', {
    apiVersion: 'k8s.cni.cncf.io/v1alpha1',
    kind: 'IPAMClaim',
    metadata: { namespace: 'default', name: 'copy.default' },
    spec: { network: 'default', interface: 'eth0' },
  });
  await api.patch(`${claim('copy.default')}/status`, 'merge', { status: { ips: ['10.244.0.6/29'], ownerPod: '' } });

  const told = async () => {
    const { items }: { items: readonly Json[] } = Object(await api.get('/api/v1/namespaces/default/events'));
    // No northd has said here what OVN can tell a guest, which is told too.
    const ofAddresses = items.filter(({ reason }) => reason !== 'GuestSettings');
    const events = ofAddresses.map(({ involvedObject, reason, message }) => {
      const { kind, name }: { kind?: string; name?: string } = Object(involvedObject);
      return `${kind} ${name}: ${reason}: ${message}`;
    });
    const condition = async (path: string) => {
      const { status } = Object(await api.get(path).catch(() => ({})));
      const [found, other] = status?.conditions ?? [];
      const { status: is, reason } = (found?.type === 'Ready' && other) || found || {};
      return `${is} ${reason}`;
    };
    const network = '/apis/hawser.dev/v1alpha1';
    return {
      events: [...new Set(events)].sort(),
      conditions: await Promise.all([
        ...['taken', 'outside', 'toomany'].map((name) =>
          condition(`${network}/namespaces/default/virtualmachinenetworks/${name}`),
        ),
        condition(`${network}/clusternetworks/default`),
        condition(claim('copy.default')),
      ]),
    };
  };
  const expected = {
    events: [
      'VirtualMachine outside: AddressConflict: the requested address 192.168.0.1 is not in the network',
      'VirtualMachine taken: AddressConflict: the requested address 10.244.0.2 is taken by pod/default/one',
      'VirtualMachine toomany: AddressesExhausted: network default has no free IPv4 address left',
    ],
    conditions: [
      'False AddressConflict',
      'False AddressConflict',
      'False AddressesExhausted',
      'True AddressesExhausted',
      'False AddressConflict',
    ],
  };
  await expect.poll(told, { timeout: 15_000, interval: 100 }).toEqual(expected);

  // No kubelet ends it here.
  await api.delete(`${podsPath}/one`, {}, { gracePeriodSeconds: 0 });
  await api.delete(claim('copy.default'));
  await api.patch('/apis/hawser.dev/v1alpha1/clusternetworks/default', 'merge', {
    spec: { subnets: ['10.244.0.0/29', '192.168.0.0/29'], gateway: ['192.168.0.6'] },
  });
  await expect
    .poll(async () => (await told()).conditions.slice(0, 4), { timeout: 15_000, interval: 100 })
    .toEqual(['True PortWritten', 'True PortWritten', 'True PortWritten', 'False AddressesLeft']);
}, 60_000);
