import { setTimeout as delay } from 'node:timers/promises';
import type { Transport } from '../virt/kube-client.ts';
import { isPod, type Pod, type PodStatus } from './pod.ts';

/** The requests a kubelet makes of the Kubernetes API. */
export class Api {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Makes the Node, or finds it made, and reports it Ready with these addresses and room for pods. */
  async registerNode(name: string, addresses: readonly string[]): Promise<void> {
    const metadata = { name, labels: { 'kubernetes.io/hostname': name } };
    const made = await this.#send('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata }, [409]);
    if (made.status === 409) await this.#send('PATCH', `/api/v1/nodes/${name}`, { metadata });
    const status = {
      capacity: room,
      allocatable: room,
      addresses: [
        ...addresses.map((address) => ({ type: 'InternalIP', address })),
        { type: 'Hostname', address: name },
      ],
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady' }],
    };
    await this.#send('PATCH', `/api/v1/nodes/${name}/status`, { status });
  }

  /** Says that the node lives, by its Lease: one that says nothing for 40 s is taken for lost. */
  async renewLease(nodeName: string): Promise<void> {
    const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
    const spec = { holderIdentity: nodeName, leaseDurationSeconds: 40, renewTime: microTime(new Date()) };
    const answer = await this.#send('PATCH', `${leases}/${nodeName}`, { spec }, [404]);
    if (answer.status !== 404) return;
    const metadata = { name: nodeName, namespace: 'kube-node-lease' };
    await this.#send('POST', leases, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec }, [409]);
  }

  /**
   * Writes a pod's status, computed from the object as it is now.
   * @returns the object, or undefined when the pod is gone.
   */
  async writeStatus(pod: Pod, compute: (pod: Pod) => PodStatus): Promise<Pod | undefined> {
    const path = `${pathOf(pod)}/status`;
    for (let current: Pod | undefined = pod; current; current = await this.#get(pod)) {
      const answer = await this.#send('PUT', path, { ...current, status: compute(current) }, [404, 409]);
      if (answer.status === 200) return asPod(await answer.json());
    }
    return undefined;
  }

  /** Takes the object away after its containers have ended, as the status manager does. */
  async remove(pod: Pod): Promise<void> {
    const options = { gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid } };
    await this.#send('DELETE', pathOf(pod), options, [404, 409]);
  }

  /**
   * Follows the pods of a node: every pod there is, then every change. Lists again when a watch ends, so that `pods` with
   * `kind: 'list'` are all there are.
   */
  async *follow(nodeName: string, signal: AbortSignal): AsyncGenerator<PodEvent> {
    const ofNode = `/api/v1/pods?fieldSelector=spec.nodeName%3D${nodeName}`;
    while (!signal.aborted) {
      try {
        const list = await this.#send('GET', ofNode, undefined, [], signal);
        const { items, metadata } = asList(await list.json());
        yield { kind: 'list', pods: items };
        const watch = await this.#send(
          'GET',
          `${ofNode}&watch=true&allowWatchBookmarks=true&resourceVersion=${metadata.resourceVersion}`,
          undefined,
          [],
          signal,
        );
        for await (const line of linesOf(watch)) {
          const event = asWatchEvent(JSON.parse(line));
          if (event.type === 'ERROR') break;
          if (event.type !== 'BOOKMARK')
            yield { kind: event.type === 'DELETED' ? 'gone' : 'present', pods: [asPod(event.object)] };
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof TypeError || error instanceof ApiError)) throw error;
        await delay(200, undefined, { signal }).catch(() => {});
      }
    }
  }

  async #get(pod: Pod): Promise<Pod | undefined> {
    const answer = await this.#send('GET', pathOf(pod), undefined, [404]);
    const found = answer.status === 404 ? undefined : asPod(await answer.json());
    return found?.metadata.uid === pod.metadata.uid ? found : undefined;
  }

  async #send(
    method: string,
    path: string,
    body?: object,
    tolerated: readonly number[] = [],
    signal?: AbortSignal,
  ): Promise<Response> {
    const answer = await this.#transport(path, {
      method,
      ...(body && {
        body: JSON.stringify(body),
        headers: { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' },
      }),
      ...(signal && { signal }),
    });
    if (answer.ok || tolerated.includes(answer.status)) return answer;
    throw new ApiError(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  }
}

export interface PodEvent {
  readonly kind: 'list' | 'present' | 'gone';
  readonly pods: readonly Pod[];
}

/** The API refused a request in a way the kubelet has no answer to. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
}

/** What a scheduler may put on a node of the lab, which counts nothing of it. */
const room = { cpu: '64', memory: '64Gi', pods: '250' };

/** A metav1.MicroTime: RFC 3339 with microseconds. */
function microTime(time: Date): string {
  return time.toISOString().replace('Z', '000Z');
}

function pathOf({ metadata }: Pod): string {
  return `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`;
}

async function* linesOf(answer: Response): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter((line) => line !== '');
  }
}

// The API server is the lab's own or the real one: what it sends for a Pod is a Pod.
function asPod(json: unknown): Pod {
  if (!isPod(json)) throw new ApiError(`not a Pod: ${JSON.stringify(json)}`);
  return json;
}

function asList(json: unknown): {
  readonly items: readonly Pod[];
  readonly metadata: { readonly resourceVersion: string };
} {
  if (!isList(json)) throw new ApiError(`not a PodList: ${JSON.stringify(json)}`);
  // Items of a list carry neither apiVersion nor kind.
  return { ...json, items: json.items.map((item) => ({ ...asPod(item), apiVersion: 'v1', kind: 'Pod' })) };
}

function isList(
  json: unknown,
): json is { readonly items: readonly unknown[]; readonly metadata: { readonly resourceVersion: string } } {
  return (
    typeof json === 'object' && json !== null && 'items' in json && Array.isArray(json.items) && 'metadata' in json
  );
}

function asWatchEvent(json: unknown): { readonly type: string; readonly object: unknown } {
  if (typeof json === 'object' && json !== null && 'type' in json && 'object' in json) {
    return { type: String(json.type), object: json.object };
  }
  throw new ApiError(`not a watch event: ${JSON.stringify(json)}`);
}
