import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { replicateNorthbound } from '#controller/northbound/replica.ts';
import { NorthboundWriter } from '#controller/northbound/writer.ts';
import { buildPlugin } from '#node-agent/cni/build.ts';
import { connect } from '#ovsdb/client.ts';
import type { KubeVirtScript } from '#test/controller/kubevirt/script.ts';
import { freshReplay } from '#test/controller/recordings.ts';
import type { Bed } from '#test/node-agent/bed.ts';
import { TestPod } from '#test/node-agent/lab-ports.ts';

type Json = Readonly<Record<string, unknown>>;

/** Our controller's core on the northbound database of a bed, told of objects by a test. */
export interface LabController extends AsyncDisposable {
  put(kind: string, object: Json): void;
  /** A pod with a NIC on `backend`. */
  pod(name: string, nodeName: string): Promise<TestPod>;
  /** The sandbox of a VM's `nth` launcher pod. */
  launcher(vm: string, nth: number, node: string): Promise<TestPod>;
  /** Tells what the script has written since the last time; resolves when all of it is in the database. */
  follow(script: KubeVirtScript): Promise<void>;
}

export async function controllerOn({ topology, agent }: Pick<Bed, 'topology' | 'agent'>): Promise<LabController> {
  const plugin = await buildPlugin();
  const replay = freshReplay();
  const client = await connect({ remotes: [`unix:${join(topology.folder, 'central', 'nb.sock')}`] });
  const northbound = await replicateNorthbound(client, AbortSignal.timeout(20_000));
  const writer = new NorthboundWriter(replay.core.engine.board, northbound, { sleep: pause });
  await replay.core.settle();
  await writer.start();
  let told = 0;
  const put = (kind: string, object: Json) => replay.apply({ type: 'MODIFIED', kind, object });
  const settle = async () => {
    await replay.rows();
    await writer.idle();
  };
  const sandbox = async (name: string, uid: string, node: string) => {
    const netns = await topology.addNamespace(`pod-${randomUUID().slice(0, 8)}`);
    return new TestPod(name, uid, netns, topology.node(node), agent(node), plugin);
  };
  return {
    put,
    pod: async (name, nodeName) => {
      const annotations = { 'k8s.v1.cni.cncf.io/networks': 'backend' };
      put('Pod', { metadata: { namespace: 'default', name, uid: name, annotations }, spec: { nodeName } });
      await settle();
      return await sandbox(name, name, nodeName);
    },
    launcher: (vm, nth, node) => sandbox(`virt-launcher-${vm}-${nth}`, `pod-default-${vm}-${nth}`, node),
    follow: async ({ events }) => {
      for (const event of events.slice(told)) replay.apply(event);
      told = events.length;
      await settle();
    },
    async [Symbol.asyncDispose]() {
      await writer.close();
      await client.close();
    },
  };
}
