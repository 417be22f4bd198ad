import type { KubeApi } from './api.ts';
import { type Kind, pathOf } from './kinds.ts';
import { Fields, MalformedField } from './objects/fields.ts';

/**
 * All objects of a kind as the server has them at this moment, where a watch may lag behind what others have written. Objects that
 * cannot be read are left out: the watch tells of them. Rejects with KubeError.
 */
export async function* listNow<T>(api: Pick<KubeApi, 'get'>, kind: Kind<T>, signal: AbortSignal): AsyncIterable<T> {
  let continueToken: string | undefined;
  do {
    const query = { limit: pageSize, continue: continueToken };
    const list = new Fields(await api.get(pathOf(kind, {}), { query, signal }));
    for (const item of list.list('items')) {
      const object = trimmed(kind, item);
      if (object !== undefined) yield object;
    }
    continueToken = list.needObject('metadata').string('continue') || undefined;
  } while (continueToken !== undefined);
}

const pageSize = 500;

function trimmed<T>(kind: Kind<T>, json: unknown): T | undefined {
  try {
    return kind.trim(json);
  } catch (error) {
    if (!(error instanceof MalformedField)) throw error;
    return undefined;
  }
}
