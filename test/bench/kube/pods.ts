import type { KubeApi } from '#controller/kube/api.ts';
import { apiList } from '#test/kube/api-object.ts';

export const nodeNames = ['node-a', 'node-b', 'node-c'] as const;

const path = '/api/v1/namespaces/default/pods';
const connections = 16;

/** Creates pods as fast as the server takes them and resolves with the moment of its last reply, as `performance.now()`. */
export async function createPods(api: KubeApi, prefix: string, count: number): Promise<number> {
  await overConnections(count, (n) => createPod(api, `${prefix}-${n}`, n));
  return performance.now();
}

export async function createPod(api: KubeApi, name: string, n: number): Promise<void> {
  await api.create(path, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { nodeName: nodeNames[n % nodeNames.length], containers: [{ name: 'c', image: 'none' }] },
  });
}

export async function deleteAllPods(api: KubeApi): Promise<void> {
  const { names } = apiList(await api.get(path));
  await overConnections(names.length, async (n) => {
    await api.delete(`${path}/${names[n]}`, {}, { gracePeriodSeconds: 0 });
  });
}

async function overConnections(count: number, work: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const connection = async (): Promise<void> => {
    for (let n = next++; n < count; n = next++) await work(n);
  };
  await Promise.all(Array.from({ length: connections }, connection));
}
