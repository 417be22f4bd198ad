import { KubeApi } from '#controller/kube/api.ts';
import { loadCredentials } from '#controller/kube/credentials.ts';
import { type Kind, pods } from '#controller/kube/kinds.ts';
import type { Pod } from '#controller/kube/objects/pod.ts';
import { type WatchOptions, watchKind } from '#controller/kube/watch.ts';
import { resources } from '#test/lab/kube-api/resources.ts';
import type { KubeApi as KubeServer } from '#test/lab/kube-api/server.ts';
import { Shelf } from './shelf.ts';
import { TestClock } from './test-clock.ts';

/** A watch under test, on a clock of its own; disposing of it ends it and waits for its end. */
export interface Watching<T> extends AsyncDisposable {
  readonly shelf: Shelf<T>;
  readonly clock: TestClock;
  /** Settles with the watch. */
  readonly done: Promise<void>;
  readonly stop: () => void;
}

export function watchPods(server: KubeServer, options: Partial<WatchOptions> = {}): Watching<Pod> {
  return watching(server, pods, new Shelf<Pod>(), options);
}

export function watching<T>(
  server: KubeServer,
  kind: Kind<T>,
  shelf: Shelf<T>,
  options: Partial<WatchOptions> = {},
): Watching<T> {
  const clock = new TestClock();
  const api = new KubeApi(loadCredentials({ text: server.kubeconfig() }));
  const end = new AbortController();
  const done = watchKind(kind, shelf, { api, signal: end.signal, clock, onNotice: shelf.notice, ...options });
  // Whoever awaits `done` gets the rejection; nobody has to.
  done.catch(() => undefined);
  return {
    shelf,
    clock,
    done,
    stop: () => end.abort(),
    [Symbol.asyncDispose]: async () => {
      end.abort();
      await done.catch(() => undefined);
      api.close();
    },
  };
}

/** Writes pods straight into the server's store, as another client would. */
export function podsOf({ store }: KubeServer): {
  create(name: string, labels?: Record<string, string>): void;
  label(name: string, labels: Record<string, string>): void;
  delete(name: string): void;
} {
  const resource = resources.find(({ kind }) => kind === 'Pod');
  if (resource === undefined) throw new Error('the stand-in serves no pods');
  return {
    create: (name, labels = {}) => {
      store.create(resource, 'default', { metadata: { name, labels }, spec: { containers: [] } });
    },
    label: (name, labels) => {
      store.update(resource, 'default', name, (stored) => ({ ...stored, metadata: { ...stored.metadata, labels } }));
    },
    delete: (name) => {
      store.delete(resource, 'default', name);
    },
  };
}
