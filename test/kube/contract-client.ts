import type { KubeApi, patchTypes, Query } from '#controller/kube/api.ts';
import { KubeError } from '#controller/kube/errors.ts';
import { type Kind, pathOf } from '#controller/kube/kinds.ts';
import { type ApiList, type ApiObject, apiList, apiObject } from './api-object.ts';
import { EventStream } from './event-stream.ts';

export type AnyKind = Pick<Kind<unknown>, 'apiVersion' | 'kind' | 'resource' | 'namespaced'>;

/** What a test does to objects of one kind, in one namespace if the kind has them. */
export class ContractClient {
  readonly api: KubeApi;
  readonly kind: AnyKind;
  readonly namespace: string | undefined;

  constructor(api: KubeApi, kind: AnyKind, namespace: string) {
    this.api = api;
    this.kind = kind;
    this.namespace = kind.namespaced ? namespace : undefined;
  }

  async create(metadata: object, content: object = {}): Promise<ApiObject> {
    const { apiVersion, kind } = this.kind;
    return apiObject(await this.api.create(this.path(), { apiVersion, kind, metadata, ...content }));
  }

  async get(name: string): Promise<ApiObject> {
    return apiObject(await this.api.get(this.path(name)));
  }

  async replace(object: ApiObject, subresource?: string): Promise<ApiObject> {
    return apiObject(await this.api.replace(this.path(object.metadata.name, subresource), object));
  }

  async patch(name: string, type: keyof typeof patchTypes, body: object, subresource?: string): Promise<ApiObject> {
    return apiObject(await this.api.patch(this.path(name, subresource), type, body));
  }

  async delete(name: string, options?: object): Promise<void> {
    await this.api.delete(this.path(name), {}, options);
  }

  async list(query: Query = {}): Promise<ApiList> {
    return apiList(await this.api.get(this.path(), { query }));
  }

  watch(query: Query): Promise<EventStream> {
    return EventStream.open(this.api, this.path(), query);
  }

  /** Waits until no object of that name is there; what makes it go is under way. */
  async gone(name: string): Promise<void> {
    const { resourceVersion, names } = await this.list({ fieldSelector: `metadata.name=${name}` });
    if (names.length === 0) return;
    await using stream = await this.watch({ resourceVersion, fieldSelector: `metadata.name=${name}` });
    for (let event = await stream.next(); event?.type !== 'DELETED'; event = await stream.next()) {
      if (event === undefined) throw new Error(`the watch for ${name} ended before ${name} was gone`);
    }
  }

  path(name?: string, subresource?: string): string {
    return pathOf(this.kind, {
      ...(this.namespace === undefined ? {} : { namespace: this.namespace }),
      ...(name === undefined ? {} : { name }),
      ...(subresource === undefined ? {} : { subresource }),
    });
  }
}

/** The code of the refusal that `request` is expected to meet. */
export async function refusal(request: Promise<unknown>): Promise<string> {
  try {
    return `no refusal but ${JSON.stringify(await request)}`;
  } catch (error) {
    if (error instanceof KubeError) return error.code;
    throw error;
  }
}
