import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { Cluster, ClusterNode } from './cluster.ts';

/** A pod as kubelet reports it. */
export interface RunningPod {
  readonly name: string;
  readonly node: string;
  /** IPv4 first. */
  readonly ips: readonly string[];
}

/** The pods of a Deployment of `deploymentYaml`, those that are being deleted too. */
export async function podsOf({ plane }: Cluster, app: string): Promise<readonly RunningPod[]> {
  const list = await plane.api.get('/api/v1/namespaces/default/pods', { query: { labelSelector: `app=${app}` } });
  return podList.parse(list).items.map(({ metadata, spec, status }) => ({
    name: metadata.name,
    node: spec.nodeName ?? '',
    ips: status.podIPs.map(({ ip }) => ip),
  }));
}

/**
 * `kill -9` of the node agents on these nodes, as seen by their container runtimes; kubelets start them again, at once the first time and
 * with a growing delay later.
 */
export async function killAgents(cluster: Cluster, nodes: readonly ClusterNode[]): Promise<void> {
  const columns = '{.spec.nodeName} {.status.containerStatuses[0].containerID}';
  const text = await cluster.kubectl([
    ...['get', 'pods', '-n', 'hawser-system', '-l', 'app.kubernetes.io/name=hawser-node-agent'],
    ...['-o', `jsonpath={range .items[*]}${columns}{"\\n"}{end}`],
  ]);
  for (const [, node, container = ''] of text.matchAll(/^(\S+) containerd:\/\/(\S+)$/gm)) {
    const machine = nodes.find(({ name }) => name === node)?.machine;
    await machine?.exec('ctr', ['--namespace=k8s.io', 'tasks', 'kill', '--signal=SIGKILL', container]);
  }
}

/** What is on the nodes and in the northbound database for pods of the namespace `default`, in sentences. */
export async function podTraces(cluster: Cluster): Promise<readonly string[]> {
  const { topology } = cluster;
  const found: string[] = [];
  const ports = await topology.nbctl('--bare', '--columns=name', 'list', 'Logical_Switch_Port');
  for (const port of ports.split(/\s+/)) if (port.startsWith('pod/default/')) found.push(`logical switch port ${port}`);
  for (const { name, node, machine } of cluster.nodes) {
    const interfaces = await node.vsctl('--bare', '--columns=external_ids', 'list', 'Interface');
    for (const [id] of interfaces.matchAll(/pod\/default\/[^\s,"}]+/g)) found.push(`${name}: ${id} on br-int`);
    const sandboxes = await machine.exec('ctr', ['--namespace=k8s.io', 'tasks', 'list', '--quiet']);
    const namespaces = await machine.exec('ls', ['/run/netns']);
    for (const sandbox of namespaces.split('\n').filter((entry) => entry.startsWith('cni-'))) {
      found.push(`${name}: network namespace ${sandbox} beside ${sandboxes.trim().split('\n').length} tasks`);
    }
  }
  return found;
}

/** @throws Error when the Deployment, scaled to nothing or deleted, still has pods when the time is up. */
export async function untilNoPods(cluster: Cluster, app: string, timeoutSeconds: number): Promise<void> {
  const deadline = performance.now() + timeoutSeconds * 1000;
  for (;;) {
    const pods = await podsOf(cluster, app);
    if (pods.length === 0) return;
    if (performance.now() > deadline) throw new Error(`${pods.map(({ name }) => name).join(', ')} are still there`);
    await delay(250);
  }
}

/** Resolves when there is nothing of `podTraces`, or with what is left when the time is up. */
export async function untilNoTraces(cluster: Cluster, timeoutSeconds: number): Promise<readonly string[]> {
  const deadline = performance.now() + timeoutSeconds * 1000;
  for (;;) {
    const found = await podTraces(cluster);
    if (found.length === 0 || performance.now() > deadline) return found;
    await delay(500);
  }
}

const podList = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      spec: z.object({ nodeName: z.string().optional() }),
      status: z.object({ podIPs: z.array(z.object({ ip: z.string() })).default([]) }),
    }),
  ),
});
