import { Fields, isJsonObject } from '#controller/kube/objects/fields.ts';

/** An object as an API server answered it, as far as the contract looks at it. */
export interface ApiObject {
  readonly kind?: unknown;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly creationTimestamp: string;
    readonly generation?: number;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly unknown[];
  };
  readonly [field: string]: unknown;
}

export interface ApiList {
  readonly resourceVersion: string;
  readonly continueToken: string | undefined;
  readonly remaining: number | undefined;
  readonly names: readonly string[];
}

/** Throws when `json` is not an object of the API. */
export function apiObject(json: unknown): ApiObject {
  if (!isApiObject(json)) throw new Error(`not an object of the API: ${JSON.stringify(json)}`);
  return json;
}

export function apiList(json: unknown): ApiList {
  const list = new Fields(json);
  const metadata = list.needObject('metadata');
  return {
    resourceVersion: metadata.needString('resourceVersion'),
    continueToken: metadata.string('continue') || undefined,
    remaining: metadata.number('remainingItemCount'),
    names: list.objects('items').map((item) => item.needObject('metadata').needString('name')),
  };
}

function isApiObject(json: unknown): json is ApiObject {
  if (!isJsonObject(json) || !isJsonObject(json.metadata)) return false;
  const { name, uid, resourceVersion } = json.metadata;
  return typeof name === 'string' && typeof uid === 'string' && typeof resourceVersion === 'string';
}
