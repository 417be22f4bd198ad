import { type KubeApi, startKubeApi } from '#test/lab/kube-api/server.ts';
import { admitted, type UserObject, virtNodeLabels } from './admission.ts';
import type { Attach } from './attachments.ts';
import { ClusterView } from './cluster-view.ts';
import type { Hypervisor } from './hypervisor.ts';
import { plainTransport, type Transport } from './kube-client.ts';
import type { KubeObject, MigrationConfiguration } from './objects.ts';
import { PlayedHypervisor } from './played-hypervisor.ts';
import { PlayedKubelet } from './played-kubelet.ts';
import { startScheduler } from './scheduler.ts';
import { startVirtController } from './virt-controller.ts';
import { startVirtHandler, type VirtHandler } from './virt-handler.ts';
import { rfc3339 } from './write.ts';
import type { Gate, GateSubject } from './writer-loop.ts';

/**
 * An API server with KubeVirt's controllers of this folder, whose nodes, pods and guests are played: nothing in it needs root,
 * a network or QEMU. It is for tests of the order in which things are written.
 */
export interface PlayedCluster extends AsyncDisposable {
  readonly api: KubeApi;
  readonly view: ClusterView;
  readonly hypervisor: PlayedHypervisor;
  kubelet(node: string): PlayedKubelet;
  handler(node: string): VirtHandler;
  /** Every version of every object that a controller made, in the order of the API server. */
  versions(): readonly Version[];
  /** As a user, with what virt-api's webhooks do. */
  create(object: UserObject): Promise<void>;
  request(method: string, path: string, body?: unknown): Promise<void>;
  /** Resolves when this holds of the cluster as it is seen. */
  until(holds: (view: ClusterView) => boolean): Promise<void>;
  /** A step that is not taken until the returned function is called. */
  hold(step: string, subject?: Partial<GateSubject>): () => void;
  /** Resolves when a controller is about to take the step. */
  untilStep(step: string): Promise<void>;
  /** Kills virt-controller in the middle of what it does, and starts another one. */
  restartVirtController(release: () => void): Promise<void>;
}

/** One version of an object, and who made it how. */
export interface Version {
  readonly by: string;
  readonly verb: string;
  readonly deleted: boolean;
  readonly object: KubeObject;
}

export async function startPlayedCluster(options: {
  readonly nodes: readonly string[];
  /** Asked at every hand-off. */
  readonly configuration?: () => Partial<MigrationConfiguration>;
  readonly readyAndAckAtOnce?: boolean;
  /** Real domains and NICs; played ones when absent. */
  readonly domains?: { readonly hypervisor: Hypervisor; readonly attach: (node: string) => Attach };
}): Promise<PlayedCluster> {
  const api = await startKubeApi();
  const requests = new Map<string, { by: string; verb: string }>();
  const as = (by: string): Transport => recording(plainTransport(api.url), by, requests);
  const user = as('user');
  const holds = new Set<{ step: string; subject: Partial<GateSubject>; released: Promise<void> }>();
  const steps = new Map<string, PromiseWithResolvers<void>>();
  const gate: Gate = async (step, subject) => {
    steps.get(step)?.resolve();
    for (const hold of holds) if (hold.step === step && matches(subject, hold.subject)) await hold.released;
  };
  const request = async (method: string, path: string, body?: unknown): Promise<void> => {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const answer = await user(path, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': type } }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  };

  const kinds = ['VirtualMachine', 'VirtualMachineInstance', 'VirtualMachineInstanceMigration', 'Pod', 'Node'] as const;
  const view = new ClusterView(as('observer'), kinds);
  const seen: { deleted: boolean; object: KubeObject }[] = [];
  const hypervisor = new PlayedHypervisor();
  const kubelets = new Map<string, PlayedKubelet>();
  const handlers = new Map<string, VirtHandler>();
  const proxies = new Map();
  let isEnding = false;
  const log = (line: string): void => {
    if (!isEnding) console.error(line);
  };

  for (const [index, name] of options.nodes.entries()) {
    await request('POST', '/api/v1/nodes', {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: virtNodeLabels },
    });
    kubelets.set(name, new PlayedKubelet(as('kubelet'), name, `192.0.2.${11 + index}`));
  }
  await view.start();
  view.onChange((object) => seen.push({ deleted: !view.has(object.metadata.uid), object }));
  for (const [name, kubelet] of kubelets) {
    await kubelet.start();
    const handler = await startVirtHandler({
      send: as(`virt-handler ${name}`),
      node: { name, address: kubelet.hostIP },
      hypervisor: options.domains?.hypervisor ?? ((domain) => hypervisor.start(domain)),
      attach: options.domains?.attach(name) ?? attachNothing,
      sandboxOf: (uid) => kubelet.sandboxOf(uid),
      launcherExited: (uid, exitCode) => kubelet.launcherExited(uid, exitCode),
      proxies,
      gate,
      log,
      readyAndAckAtOnce: options.readyAndAckAtOnce ?? false,
    });
    handlers.set(name, handler);
  }
  const scheduler = await startScheduler({ send: as('kube-scheduler'), gate, log });
  const newController = () =>
    startVirtController({
      send: as('virt-controller'),
      gate,
      log,
      configuration: options.configuration ?? (() => ({})),
    });
  let controller = await newController();

  return {
    api,
    view,
    hypervisor,
    kubelet: (node) => existing(kubelets, node),
    handler: (node) => existing(handlers, node),
    versions: () =>
      seen.map(({ deleted, object }) => {
        const { by, verb } = requests.get(versionKey(object)) ?? { by: 'kube-scheduler', verb: 'create/binding' };
        return { by, verb, deleted, object };
      }),
    create: async (object) => {
      const { namespace = 'default' } = object.metadata;
      const plural = `${object.kind.toLowerCase()}s`;
      await request(
        'POST',
        `/apis/${object.apiVersion}/namespaces/${namespace}/${plural}`,
        admitted(object, rfc3339(new Date())),
      );
    },
    request,
    until: async (condition) => {
      if (condition(view)) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      view.onChange(() => {
        if (condition(view)) resolve();
      });
      await promise;
    },
    hold: (step, subject = {}) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      holds.add({ step, subject, released: promise });
      return resolve;
    },
    untilStep: (step) => {
      const reached = steps.get(step) ?? Promise.withResolvers<void>();
      steps.set(step, reached);
      return reached.promise;
    },
    restartVirtController: async (release) => {
      controller.stop();
      release();
      controller = await newController();
    },
    [Symbol.asyncDispose]: async () => {
      isEnding = true;
      controller.stop();
      scheduler.stop();
      for (const handler of handlers.values()) await handler.stop();
      for (const kubelet of kubelets.values()) await kubelet.stop();
      view.stop();
      await api[Symbol.asyncDispose]();
    },
  };
}

const attachNothing: Attach = async (vmi, { netns }) =>
  (vmi.spec.domain.devices.interfaces ?? []).map(({ macAddress = '' }) => ({
    ...{ tap: 'tap0', netns, mac: macAddress },
    detach: async () => {},
  }));

function existing<T>(map: ReadonlyMap<string, T>, node: string): T {
  const found = map.get(node);
  if (found === undefined) throw new Error(`there is no ${node}`);
  return found;
}

function matches(subject: GateSubject, wanted: Partial<GateSubject>): boolean {
  return (
    (wanted.by === undefined || wanted.by === subject.by) &&
    (wanted.kind === undefined || wanted.kind === subject.kind) &&
    (wanted.name === undefined || subject.name.startsWith(wanted.name))
  );
}

/** Remembers who made which version by what request. */
function recording(send: Transport, by: string, requests: Map<string, { by: string; verb: string }>): Transport {
  return async (path, init) => {
    const answer = await send(path, init);
    if (!answer.ok || init?.method === undefined || init.method === 'GET') return answer;
    const body: unknown = await answer.clone().json();
    const verb = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }[init.method] ?? init.method;
    if (isObject(body))
      requests.set(versionKey(body), { by, verb: path.endsWith('/status') ? `${verb}/status` : verb });
    return answer;
  };
}

function versionKey({ metadata }: Pick<KubeObject, 'metadata'>): string {
  return `${metadata.uid} ${metadata.resourceVersion}`;
}

function isObject(body: unknown): body is KubeObject {
  return typeof body === 'object' && body !== null && 'metadata' in body && 'kind' in body && body.kind !== 'Status';
}
