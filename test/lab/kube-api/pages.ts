import type { StoredObject } from './object.ts';
import { apiVersionOf, type Resource } from './resources.ts';
import type { Matches } from './selectors.ts';
import { badRequest, expired } from './status-error.ts';
import type { Store } from './store.ts';

export interface ListRequest {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly matches: Matches | undefined;
  /** 0: everything in one page. */
  readonly limit: number;
  readonly continueToken: string | undefined;
}

/** Lists in pages, all of one list from the state at its first page, as etcd's snapshots give them. */
export class Pages {
  readonly #store: Store;
  /** Version of the first page → what is still to come; the eldest are forgotten. */
  readonly #snapshots = new Map<string, readonly StoredObject[]>();
  #nextSnapshot = 1;

  constructor(store: Store) {
    this.#store = store;
  }

  list(request: ListRequest): object {
    const { resource, limit, continueToken } = request;
    const token = continueToken === undefined ? undefined : parsedToken(continueToken);
    if (token !== undefined && token.version < this.#store.compactedAt) {
      throw expired('The provided continue parameter is too old to display a consistent list result.');
    }
    const version = token?.version ?? this.#store.version;
    const all = token === undefined ? this.#selected(request) : this.#snapshots.get(token.snapshot);
    if (all === undefined) throw expired('The provided continue parameter is too old.');
    const start = token?.start ?? 0;
    const end = limit > 0 ? start + limit : all.length;
    const items = all.slice(start, end);
    return {
      kind: `${resource.kind}List`,
      apiVersion: apiVersionOf(resource),
      metadata: { resourceVersion: String(version), ...this.#rest(all, end, version, request, token?.snapshot) },
      items,
    };
  }

  #selected({ resource, namespace, matches }: ListRequest): readonly StoredObject[] {
    return [...this.#store.collection(resource)]
      .filter(([, object]) => namespace === undefined || object.metadata.namespace === namespace)
      .filter(([, object]) => matches === undefined || matches(object))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, object]) => object);
  }

  #rest(
    all: readonly StoredObject[],
    end: number,
    version: number,
    request: ListRequest,
    snapshot = String(this.#nextSnapshot++),
  ): object {
    if (end >= all.length) return {};
    this.#snapshots.set(snapshot, all);
    if (this.#snapshots.size > 20) {
      for (const eldest of this.#snapshots.keys()) {
        this.#snapshots.delete(eldest);
        break;
      }
    }
    const token = Buffer.from(JSON.stringify({ version, snapshot, start: end })).toString('base64url');
    return { continue: token, ...(request.matches === undefined ? { remainingItemCount: all.length - end } : {}) };
  }
}

function parsedToken(text: string): { version: number; snapshot: string; start: number } {
  try {
    const { version, snapshot, start } = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (typeof version === 'number' && typeof snapshot === 'string' && typeof start === 'number') {
      return { version, snapshot, start };
    }
  } catch {
    // Falls through to the refusal below.
  }
  throw badRequest('continue key is not valid');
}
