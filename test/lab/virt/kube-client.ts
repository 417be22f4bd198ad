import type { KubeObject } from './objects.ts';
import type { Write } from './write.ts';

/** Sends a request to a Kubernetes API server: `fetch` with the base URL and whatever authentication there is. */
export type Transport = (path: string, init?: RequestInit) => Promise<Response>;

/** An API server at a URL, without authentication. */
export function plainTransport(baseUrl: string): Transport {
  return (path, init) => fetch(new URL(path, baseUrl), init);
}

/** The API server refused a request; the reasons that a controller meets in ordinary life are told apart by `code`. */
export class KubeRefused extends Error {
  override readonly name = 'KubeRefused';
  /** HTTP status: 404 gone, 409 conflict, 410 watch too old, 422 the `test` of a patch failed. */
  readonly code: number;

  constructor(what: string, code: number, message: string) {
    super(`${what}: ${code} ${message}`);
    this.code = code;
  }
}

export type Kind = KubeObject['kind'];

/**
 * Makes a controller's write.
 * @returns the object as it is now, or undefined when the API server answered without one (a binding, a pod that is gone)
 * @throws KubeRefused; TypeError when the server cannot be reached
 */
export async function makeWrite(send: Transport, write: Write): Promise<KubeObject | undefined> {
  const answer = await requestOf(send, write);
  const body: unknown = await answer.json();
  const subject = 'object' in write ? write.object : write.of;
  if (!answer.ok) {
    const what = `${write.verb} ${subject.kind} ${subject.metadata.name ?? ''}`;
    throw new KubeRefused(what, answer.status, messageOf(body));
  }
  return isKubeObject(body) ? body : undefined;
}

/** Binds a pod to a node, as a scheduler does. */
export async function bindPod(send: Transport, pod: KubeObject, nodeName: string): Promise<void> {
  const body = {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name: pod.metadata.name },
    target: { kind: 'Node', name: nodeName },
  };
  const answer = await send(`${pathOf(pod)}/binding`, json('POST', body));
  const text = await answer.text();
  if (!answer.ok) throw new KubeRefused(`bind ${pod.metadata.name}`, answer.status, text);
}

export type WatchEvent =
  | { readonly type: 'listed'; readonly objects: readonly KubeObject[] }
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject };

/**
 * All objects of a kind and then every change to them; lists again whenever the watch breaks, so it ends only with `signal`.
 */
export async function* follow(send: Transport, kind: Kind, signal: AbortSignal): AsyncGenerator<WatchEvent> {
  while (!signal.aborted) {
    try {
      const { items, resourceVersion } = await list(send, kind, signal);
      yield { type: 'listed', objects: items };
      const query = `watch=true&allowWatchBookmarks=true&resourceVersion=${resourceVersion}`;
      const answer = await send(`${collectionPath(kind)}?${query}`, { signal });
      if (!answer.ok) throw new KubeRefused(`watch ${kind}`, answer.status, await answer.text());
      yield* events(answer, kind);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof KubeRefused || error instanceof TypeError)) throw error;
      await new Promise((resolve) => setTimeout(resolve, relistAfterMs));
    }
  }
}

const relistAfterMs = 100;

async function list(send: Transport, kind: Kind, signal: AbortSignal) {
  const answer = await send(collectionPath(kind), { signal });
  if (!answer.ok) throw new KubeRefused(`list ${kind}`, answer.status, await answer.text());
  const body: unknown = await answer.json();
  if (!isRecord(body) || !Array.isArray(body.items) || !isRecord(body.metadata)) throw new Error(`no list of ${kind}`);
  const { resourceVersion } = body.metadata;
  // Items of a list carry neither apiVersion nor kind.
  const items = body.items.map((item: unknown) => asKubeObject({ ...(isRecord(item) && item), ...typeOf(kind) }));
  return { items, resourceVersion: String(resourceVersion) };
}

async function* events(answer: Response, kind: Kind): AsyncGenerator<WatchEvent> {
  let unread = '';
  for await (const text of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const lines = (unread + text).split('\n');
    unread = lines.pop() ?? '';
    for (const line of lines) {
      const event: unknown = JSON.parse(line);
      if (!isRecord(event)) throw new Error(`no watch event: ${line}`);
      if (event.type === 'ERROR') throw new KubeRefused(`watch ${kind}`, 410, line);
      if (event.type === 'ADDED' || event.type === 'MODIFIED' || event.type === 'DELETED') {
        yield { type: event.type, object: asKubeObject(event.object) };
      }
    }
  }
}

function requestOf(send: Transport, write: Write): Promise<Response> {
  switch (write.verb) {
    case 'create': {
      const { kind, metadata } = write.object;
      return send(collectionPath(kind, metadata.namespace), json('POST', write.object));
    }
    case 'update':
    case 'update/status':
      return send(pathOf(write.object) + subresource(write.verb), json('PUT', write.object));
    case 'patch':
    case 'patch/status':
      return send(
        pathOf(write.of) + subresource(write.verb),
        json('PATCH', write.patch, 'application/json-patch+json'),
      );
    case 'delete':
      return send(pathOf(write.of), json('DELETE', { preconditions: { uid: write.of.metadata.uid } }));
  }
}

function subresource(verb: string): string {
  return verb.endsWith('/status') ? '/status' : '';
}

function json(method: string, body: unknown, type = 'application/json'): RequestInit {
  return { method, body: JSON.stringify(body), headers: { 'content-type': type } };
}

const served: Readonly<Record<Kind, { group: string; plural: string }>> = {
  VirtualMachine: { group: 'kubevirt.io/v1', plural: 'virtualmachines' },
  VirtualMachineInstance: { group: 'kubevirt.io/v1', plural: 'virtualmachineinstances' },
  VirtualMachineInstanceMigration: { group: 'kubevirt.io/v1', plural: 'virtualmachineinstancemigrations' },
  Pod: { group: 'v1', plural: 'pods' },
  Node: { group: 'v1', plural: 'nodes' },
};

function typeOf(kind: Kind): { apiVersion: string; kind: Kind } {
  return { apiVersion: served[kind].group, kind };
}

function collectionPath(kind: Kind, namespace?: string): string {
  const { group, plural } = served[kind];
  const root = group === 'v1' ? '/api/v1' : `/apis/${group}`;
  return namespace === undefined ? `${root}/${plural}` : `${root}/namespaces/${namespace}/${plural}`;
}

function pathOf(object: KubeObject): string {
  const namespace = 'namespace' in object.metadata ? object.metadata.namespace : undefined;
  return `${collectionPath(object.kind, namespace)}/${object.metadata.name}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** What a server sends as one of these kinds is one: the lab's, or a real one that has KubeVirt's own schemas. */
function isKubeObject(value: unknown): value is KubeObject {
  return isRecord(value) && isRecord(value.metadata) && typeof value.kind === 'string' && value.kind in served;
}

function asKubeObject(value: unknown): KubeObject {
  if (!isKubeObject(value)) throw new Error(`not an object of a kind that is followed: ${JSON.stringify(value)}`);
  return value;
}

function messageOf(body: unknown): string {
  return isRecord(body) && typeof body.message === 'string' ? body.message : JSON.stringify(body);
}
