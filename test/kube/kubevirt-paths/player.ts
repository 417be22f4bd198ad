import type { KubeApi } from '#controller/kube/api.ts';
import { KubeError } from '#controller/kube/errors.ts';
import { pathOf } from '#controller/kube/kinds.ts';
import { isJsonObject } from '#controller/kube/objects/fields.ts';
import { metadataOf, objectId, type RecordedEvent } from '#controller/replay/recording.ts';
import { apiVersionOf, type Resource, resources } from '#test/lab/kube-api/resources.ts';
import { type ApiObject, apiObject } from '../api-object.ts';
import type { Heard } from './heard.ts';

type Json = Readonly<Record<string, unknown>>;

/** Keeps an object there that is being deleted, as KubeVirt's finalizers do where a path does not tell of them. */
const finalizer = 'hawser.dev/not-yet';

/**
 * Makes an API server tell what a recording tells: each event becomes the writes of those who once caused it. UIDs are the server's own,
 * wherever an object names another. Each write ends when the watches that `heard` overhears have told of it.
 */
export class Player {
  readonly #api: KubeApi;
  readonly #heard: Heard;
  /** UID in the recording → the server's. */
  readonly #uids = new Map<string, string>();
  /** Object → what the recording has last told of it, in the server's UIDs. */
  readonly #told = new Map<string, Told>();
  /** UIDs in the recording of objects that will be seen with a deletionTimestamp. */
  readonly #lingering: ReadonlySet<string>;

  constructor(api: KubeApi, heard: Heard, events: readonly RecordedEvent[]) {
    this.#api = api;
    this.#heard = heard;
    const deleting = events.filter(
      ({ type, object }) => type !== 'DELETED' && 'deletionTimestamp' in metadataOf(object),
    );
    this.#lingering = new Set(deleting.map(({ object }) => String(metadataOf(object).uid)));
  }

  /** What there is of the objects that were played. */
  get objects(): Iterable<string> {
    return this.#told.keys();
  }

  /** Does what the event tells, and pauses after each write. */
  async *play(event: RecordedEvent): AsyncGenerator<void> {
    const id = objectId(event);
    const resource = resourceOf(event.kind);
    if (event.type === 'DELETED') {
      yield* this.remove(id);
      return;
    }
    const before = this.#told.get(id);
    const isLingering = this.#lingering.has(String(metadataOf(event.object).uid));
    if (before === undefined) yield* this.#create(id, resource, event.object, isLingering);
    else yield* this.#update(id, resource, this.#toldOf(resource, event.object, isLingering), before);
  }

  /** Takes an object away, whatever holds it. */
  async *remove(id: string): AsyncGenerator<void> {
    const resource = resourceOf(id.slice(0, id.indexOf(' ')));
    this.#told.delete(id);
    const object = this.#heard.latest(id);
    // Somebody else was faster.
    if (object === undefined) return;
    const path = placeOf(resource, object);
    const answer = await this.#api.delete(path, {}, { gracePeriodSeconds: 0 }).catch(ignoreNotFound);
    const held = answer === undefined ? undefined : isLeft(answer);
    if (held !== undefined) {
      yield* this.#untilHeard(id, held);
      await this.#api.patch(path, 'merge', { metadata: { finalizers: null } });
    }
    await this.#heard.until(id, (now) => now?.metadata.uid !== object.metadata.uid);
    yield;
  }

  async *#create(id: string, resource: Resource, object: Json, isLingering: boolean): AsyncGenerator<void> {
    const told = this.#toldOf(resource, object, isLingering);
    const { name, namespace, uid } = metadataOf(object);
    const { metadata, spec, status } = told;
    const body = {
      apiVersion: apiVersionOf(resource),
      kind: resource.kind,
      metadata: { name, namespace, ...metadata },
      spec,
      ...(!resource.hasStatus && { status }),
    };
    const made = apiObject(await this.#api.create(collectionOf(resource, String(namespace)), body));
    this.#uids.set(String(uid), made.metadata.uid);
    this.#told.set(id, { ...told, ...(resource.hasStatus && { status: undefined }) });
    yield* this.#untilHeard(id, made);
    if (resource.hasStatus && status !== undefined) yield* this.#writeStatus(id, resource, status);
  }

  async *#update(id: string, resource: Resource, told: Told, before: Told): AsyncGenerator<void> {
    const { metadata, spec, status, deletionTimestamp, nodeName } = told;
    const isPod = resource.kind === 'Pod';
    this.#told.set(id, told);
    if (deletionTimestamp !== undefined && before.deletionTimestamp === undefined) {
      const options = isPod ? { gracePeriodSeconds: 60 } : {};
      yield* this.#untilHeard(id, apiObject(await this.#api.delete(this.#place(id, resource), {}, options)));
    }
    if (nodeName !== undefined && nodeName !== before.nodeName) {
      const { name } = this.#current(id).metadata;
      const target = { apiVersion: 'v1', kind: 'Node', name: nodeName };
      await this.#api.create(`${this.#place(id, resource)}/binding`, { ...binding, metadata: { name }, target });
      await this.#heard.until(id, (now) => isJsonObject(now?.spec) && now.spec.nodeName === nodeName);
      yield;
    }
    const isStatusSame = isSame(status, before.status);
    const isRestSame = isSame(metadata, before.metadata) && (isPod || isSame(spec, before.spec));
    if (!isRestSame || (!resource.hasStatus && !isStatusSame)) {
      const current = this.#current(id);
      const { labels: _labels, annotations: _annotations, ownerReferences: _owners, ...kept } = current.metadata;
      const changed = {
        ...current,
        ...(!isPod && { spec }),
        metadata: { ...kept, ...metadata },
        ...(!resource.hasStatus && { status }),
      };
      yield* this.#untilHeard(id, apiObject(await this.#api.replace(this.#place(id, resource), changed)));
    }
    if (resource.hasStatus && status !== undefined && !isStatusSame) yield* this.#writeStatus(id, resource, status);
  }

  async *#writeStatus(id: string, resource: Resource, status: unknown): AsyncGenerator<void> {
    const current = this.#current(id);
    // The server's own, by the pod's resources.
    const qos = isJsonObject(current.status) && resource.kind === 'Pod' && { qosClass: current.status.qosClass };
    const written = await this.#api.replace(`${this.#place(id, resource)}/status`, {
      ...current,
      status: { ...Object(status), ...qos },
    });
    this.#told.set(id, { ...this.#needTold(id), status });
    yield* this.#untilHeard(id, apiObject(written));
  }

  async *#untilHeard(id: string, { metadata }: ApiObject): AsyncGenerator<void> {
    await this.#heard.until(
      id,
      (now) => Number(now?.metadata.resourceVersion ?? 0) >= Number(metadata.resourceVersion),
    );
    yield;
  }

  #toldOf(resource: Resource, object: Json, isLingering: boolean): Told {
    const { labels, annotations, ownerReferences, finalizers = [], deletionTimestamp } = metadataOf(object);
    const { spec, status } = object;
    const named = Object(this.#inServersUids({ metadata: { labels, annotations, ownerReferences }, spec, status }));
    const nodeName = resource.kind === 'Pod' ? Object(spec).nodeName : undefined;
    const held = isLingering && isEmpty(finalizers) ? [finalizer] : finalizers;
    return {
      metadata: { ...present(named.metadata), finalizers: held },
      spec: resource.kind === 'Pod' ? podSpec(Object(named.spec)) : named.spec,
      status: named.status,
      deletionTimestamp,
      nodeName,
    };
  }

  #inServersUids(value: unknown): unknown {
    if (typeof value === 'string') return this.#uids.get(value) ?? value;
    if (Array.isArray(value)) return value.map((item) => this.#inServersUids(item));
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, field]) => [this.#uids.get(key) ?? key, this.#inServersUids(field)]),
    );
  }

  #place(id: string, resource: Resource): string {
    return placeOf(resource, this.#current(id));
  }

  #current(id: string): ApiObject {
    const object = this.#heard.latest(id);
    if (object === undefined) throw new Error(`${id} is not there`);
    return object;
  }

  #needTold(id: string): Told {
    const told = this.#told.get(id);
    if (told === undefined) throw new Error(`${id} was never told of`);
    return told;
  }
}

interface Told {
  readonly metadata: Json;
  readonly spec: unknown;
  readonly status: unknown;
  readonly deletionTimestamp: unknown;
  readonly nodeName: unknown;
}

const binding = { apiVersion: 'v1', kind: 'Binding' };

/** What of a recorded pod's spec a server takes that has neither volumes nor images for it. Nobody is to bind it but the player. */
function podSpec({ nodeName, hostname, restartPolicy, readinessGates, containers }: Json): Json {
  const named = Array.isArray(containers) && containers.length > 0 ? containers : [{ name: 'compute' }];
  return {
    ...present({ nodeName, hostname, restartPolicy, readinessGates }),
    schedulerName: 'player',
    containers: named.map(({ name }: { readonly name: string }) => ({ name, image: 'none' })),
  };
}

function resourceOf(kind: string): Resource {
  const found = resources.find((candidate) => candidate.kind === kind);
  if (found === undefined) throw new Error(`no resource is known for ${kind}`);
  return found;
}

function collectionOf(resource: Resource, namespace: string): string {
  return pathOf({ apiVersion: apiVersionOf(resource), resource: resource.plural }, { namespace });
}

function placeOf(resource: Resource, { metadata: { namespace = '', name } }: ApiObject): string {
  return `${collectionOf(resource, namespace)}/${name}`;
}

/** What a DELETE answers: the object when something still holds it, else a `Status` or the object as it was. */
function isLeft(answer: unknown): ApiObject | undefined {
  if (!isJsonObject(answer) || answer.kind === 'Status') return undefined;
  const object = apiObject(answer);
  return object.metadata.deletionTimestamp !== undefined && !isEmpty(object.metadata.finalizers) ? object : undefined;
}

function ignoreNotFound(error: unknown): undefined {
  if (!(error instanceof KubeError && error.code === 'not-found')) throw error;
  return undefined;
}

function isEmpty(value: unknown): boolean {
  return !Array.isArray(value) || value.length === 0;
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function present(fields: Json): Json {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
