import { join } from 'node:path';
import type { GuestImage } from './guest/guest.ts';
import type { JsonObject } from './kube-api/object.ts';
import type { Topology } from './topology/topology.ts';
import { admitted, virtNodeLabels } from './virt/admission.ts';
import { attachOnNode } from './virt/attachments.ts';
import type { Launcher } from './virt/handler/launcher.ts';
import { qemuHypervisor } from './virt/hypervisor.ts';
import type { Transport } from './virt/kube-client.ts';
import type { MigrationConfiguration } from './virt/objects.ts';
import { startScheduler } from './virt/scheduler.ts';
import { startVirtController } from './virt/virt-controller.ts';
import { startVirtHandler, type VirtHandler } from './virt/virt-handler.ts';
import { rfc3339 } from './virt/write.ts';
import type { Gate } from './virt/writer-loop.ts';
import type { LabWorker } from './worker-node.ts';

export interface KubeVirtOptions {
  readonly topology: Topology;
  /** Sends its requests to the Kubernetes API. */
  readonly send: Transport;
  /** Whether somebody else binds pods to nodes. */
  readonly hasScheduler: boolean;
  readonly workers: readonly LabWorker[];
  readonly image: GuestImage;
  readonly gate: Gate;
  readonly log: (line: string) => void;
  readonly configuration: () => Partial<MigrationConfiguration>;
}

/** A virt-controller, a virt-handler on every node, and a scheduler where there is none. */
export interface KubeVirt {
  handler(node: string): VirtHandler;
  stop(): Promise<void>;
}

export async function startKubeVirt(options: KubeVirtOptions): Promise<KubeVirt> {
  const { topology, send, hasScheduler, workers, image, gate, log, configuration } = options;
  const proxies = new Map<string, Launcher>();
  const handlers = new Map<string, VirtHandler>();
  await Promise.all(
    workers.map(async ({ name, node, agentSocket, kubelet }) => {
      await labelNode(send, name);
      const handler = await startVirtHandler({
        send,
        gate,
        log,
        proxies,
        domainEventMs: 200,
        node: { name, address: node.encapIp },
        // Sockets of a domain lie below it, and a socket's path is short.
        hypervisor: qemuHypervisor({ image, folder: join(topology.folder, name, 'q'), env: node.env }),
        attach: attachOnNode(agentSocket),
        sandboxOf: (podUid) => kubelet.sandboxOf(podUid),
        launcherExited: (podUid, exitCode) => kubelet.launcherExited(podUid, exitCode),
      });
      handlers.set(name, handler);
    }),
  );
  const [controller, scheduler] = await Promise.all([
    startVirtController({ send, gate, log, configuration }),
    hasScheduler ? undefined : startScheduler({ send, gate, log }),
  ]);
  return {
    handler: (node) => {
      const found = handlers.get(node);
      if (found === undefined) throw new Error(`there is no virt-handler on ${node}`);
      return found;
    },
    stop: async () => {
      controller.stop();
      scheduler?.stop();
      await Promise.all([...handlers.values()].map((handler) => handler.stop()));
    },
  };
}

/** KubeVirt's mutating webhooks, for an API server that has none. */
export function admitKubeVirt(body: JsonObject): JsonObject {
  const { apiVersion, kind, metadata, spec } = body;
  if (apiVersion !== 'kubevirt.io/v1' || typeof kind !== 'string') return body;
  return {
    ...admitted(
      { ...body, apiVersion, kind, metadata: { ...Object(metadata) }, spec: { ...Object(spec) } },
      rfc3339(new Date()),
    ),
  };
}

/** As virt-handler's node-labeller does. */
async function labelNode(send: Transport, name: string): Promise<void> {
  await send(`/api/v1/nodes/${name}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/merge-patch+json' },
    body: JSON.stringify({ metadata: { labels: virtNodeLabels } }),
  });
}
