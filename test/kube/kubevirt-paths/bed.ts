import { pino } from 'pino';
import { Controller } from '#controller/controller.ts';
import type { KubeApi } from '#controller/kube/api.ts';
import { loadCredentials } from '#controller/kube/credentials.ts';
import { defaultFeatures } from '#controller/replay/stage.ts';
import { connect } from '#ovsdb/client.ts';
import { Api as KubeletApi } from '#test/lab/kubelet/api.ts';
import { realKubernetes } from '#test/lab/kubernetes/real.ts';
import { startTopology } from '#test/lab/topology/topology.ts';
import { Heard, OverheardApi } from './heard.ts';
import { NorthboundView } from './northbound-view.ts';

/** A real control plane, a real OVN central, and our controller between them, in this process. */
export interface Bed extends AsyncDisposable {
  /** As administrator. */
  readonly api: KubeApi;
  readonly heard: Heard;
  readonly northbound: NorthboundView;
  /** What the controller has logged as an error. */
  readonly errors: readonly string[];
  /** Another controller in place of the one that ran; resolves when it is in sync. */
  restartController(): Promise<void>;
}

export async function startBed(nodes: readonly string[]): Promise<Bed> {
  await using stack = new AsyncDisposableStack();
  const topology = stack.use(await startTopology({ nodes: 0 }));
  const { folder, env, central } = topology;
  const kubernetes = stack.use(await realKubernetes({ folder, env, log: () => undefined }));
  const { api } = kubernetes;
  const kubelet = new KubeletApi(kubernetes.asKubelet);
  for (const [n, name] of nodes.entries()) await kubelet.registerNode(name, [`192.0.2.${11 + n}`]);
  const live = async () => {
    for (const name of nodes) await kubelet.renewLease(name);
  };
  await live();
  const heartbeat = setInterval(() => void live(), 10_000);
  stack.defer(() => clearInterval(heartbeat));
  const heard = new Heard();
  const northbound = stack.use(await NorthboundView.open(central.nbRemote));
  const errors: string[] = [];
  const start = () => startController(kubernetes.controllerKubeconfig, central, heard, errors);
  let running = await start();
  stack.defer(() => running[Symbol.asyncDispose]());
  const whole = stack.move();
  return {
    api,
    heard,
    northbound,
    errors,
    restartController: async () => {
      await running[Symbol.asyncDispose]();
      running = await start();
    },
    [Symbol.asyncDispose]: () => whole.disposeAsync(),
  };
}

async function startController(
  kubeconfig: string,
  { nbRemote, sbRemote }: { readonly nbRemote: string; readonly sbRemote: string },
  heard: Heard,
  errors: string[],
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const end = new AbortController();
  const northbound = stack.use(await connect({ remotes: [nbRemote] }));
  const southbound = stack.use(await connect({ remotes: [sbRemote], leaderOnly: false }));
  const api = new OverheardApi(loadCredentials({ text: kubeconfig }), heard);
  stack.defer(() => api.close());
  const { promise: synced, resolve } = Promise.withResolvers<void>();
  const log = pino(
    { level: 'info' },
    {
      write: (line) => {
        if (line.includes('"msg":"in sync"')) resolve();
        if (line.includes('"level":50')) errors.push(line);
      },
    },
  );
  const controller = new Controller({
    api,
    northbound,
    southbound,
    features: defaultFeatures,
    log,
    sleep: (milliseconds) => new Promise((wake) => setTimeout(wake, milliseconds).unref()),
    signal: end.signal,
  });
  const ended = controller.run();
  await Promise.race([synced, ended]);
  stack.defer(async () => {
    end.abort();
    await ended;
  });
  const whole = stack.move();
  return { [Symbol.asyncDispose]: () => whole.disposeAsync() };
}
