import type { KubeApi } from '../kube/api.ts';
import type { Kind } from '../kube/kinds.ts';
import * as kinds from '../kube/kinds.ts';
import { Fields, isJsonObject } from '../kube/objects/fields.ts';
import { type WatchNotice, watchKind } from '../kube/watch.ts';
import type { RecordedEvent } from './recording.ts';
import { told } from './told.ts';

export interface RecorderOptions {
  readonly api: Pick<KubeApi, 'get' | 'stream'>;
  readonly signal: AbortSignal;
  /** Takes one line, without its end. */
  readonly write: (line: string) => void;
  /** Only its objects; nodes and ClusterNetworks are recorded all the same. */
  readonly namespace?: string;
  readonly onNotice?: (kind: string, notice: WatchNotice) => void;
  /** Milliseconds of any clock. */
  readonly now?: () => number;
}

/**
 * Records what the API server tells of every kind the controller reads, in the form `replay` takes: first what is there, as `ADDED`,
 * then what happens, in the order of its arrival, until `signal` aborts. `onSynced` is called when all that was there is written.
 */
export async function record(options: RecorderOptions, onSynced: () => void = () => {}): Promise<void> {
  const { write, now = () => performance.now() } = options;
  let seq = 0;
  let begin: number | undefined;
  const tell = (type: RecordedEvent['type'], kind: string, object: Json) => {
    seq += 1;
    const at = now();
    begin ??= at;
    write(JSON.stringify({ seq, ms: Math.round(at - begin), type, kind, object }));
  };
  let unsynced = recordedKinds.length;
  const oneSynced = () => {
    unsynced -= 1;
    if (unsynced === 0) onSynced();
  };
  await Promise.all(recordedKinds.map((kind) => recordKind(kind, options, tell, oneSynced)));
}

type Json = Readonly<Record<string, unknown>>;

/** Those the controller reads. What a network is comes before what uses it, for whoever reads the file. */
export const recordedKinds: readonly Kind<unknown>[] = [
  kinds.nodes,
  kinds.namespaces,
  kinds.clusterNetworks,
  kinds.networks,
  kinds.networkAttachmentDefinitions,
  kinds.networkPolicies,
  kinds.ipamClaims,
  kinds.virtualMachines,
  kinds.virtualMachineInstances,
  kinds.virtualMachineInstanceMigrations,
  kinds.pods,
];

async function recordKind(
  kind: Kind<unknown>,
  { api, signal, namespace, onNotice }: RecorderOptions,
  tell: (type: RecordedEvent['type'], kind: string, object: Json) => void,
  onSynced: () => void,
): Promise<void> {
  const known = new Map<string, Json>();
  const onlyIn = namespace !== undefined && kind.namespaced ? { namespace } : {};
  let isSynced = false;
  await watchKind(
    { ...kind, trim: toldOf },
    {
      put: (key, object) => {
        tell(known.has(key) ? 'MODIFIED' : 'ADDED', kind.kind, object);
        known.set(key, object);
      },
      remove: (key, last) => {
        const object = isJsonObject(last) ? told(last) : known.get(key);
        known.delete(key);
        if (object !== undefined) tell('DELETED', kind.kind, object);
      },
      synced: () => {
        if (!isSynced) onSynced();
        isSynced = true;
      },
    },
    { api, signal, ...onlyIn, onNotice: (notice) => onNotice?.(kind.kind, notice) },
  );
}

/** @throws MalformedField when the object has no name. */
function toldOf(json: unknown): Json {
  const name = new Fields(json).needObject('metadata').needString('name');
  return isJsonObject(json) ? told(json) : { metadata: { name } };
}
