import { keyOf, type StoredObject } from './object.ts';
import { qualifiedName, type Resource } from './resources.ts';
import type { Change, Store } from './store.ts';

/**
 * The garbage collector and the namespace controller of kube-controller-manager: dependents of what is gone are deleted, and a
 * namespace goes when it is empty. Works in the background, one change after another, as the real ones do.
 */
export function startGarbageCollection(store: Store, resources: readonly Resource[]): () => void {
  /** UID of an owner → its dependents, by resource and key. */
  const dependents = new Map<string, Map<string, Held>>();
  const alive = new Set<string>();
  const pending = new Set<NodeJS.Immediate>();

  const later = (work: () => void): void => {
    const task = setImmediate(() => {
      pending.delete(task);
      work();
    });
    pending.add(task);
  };

  const current = ({ resource, namespace, name }: Held): StoredObject | undefined =>
    store.collection(resource).get(keyOf(namespace, name));

  /** Deletes a dependent none of whose owners lives. */
  const collect = (held: Held): void => {
    const object = current(held);
    if (object === undefined || object.metadata.uid !== held.uid) return;
    const owners = object.metadata.ownerReferences ?? [];
    if (owners.length === 0 || owners.some(({ uid }) => alive.has(uid))) return;
    if (object.metadata.deletionTimestamp === undefined) store.delete(held.resource, held.namespace, held.name);
  };

  const dropFinalizer = (held: Held, finalizer: string): void => {
    const object = current(held);
    if (!object?.metadata.finalizers?.includes(finalizer)) return;
    store.rewrite(object, held.resource, (stored) => ({
      ...stored,
      metadata: {
        ...stored.metadata,
        finalizers: (stored.metadata.finalizers ?? []).filter((name) => name !== finalizer),
      },
    }));
  };

  /** Finalizers of the collector's own, on an owner deleted with propagation Foreground or Orphan. */
  const propagate = (owner: Held): void => {
    const object = current(owner);
    if (object?.metadata.deletionTimestamp === undefined) return;
    const finalizers = object.metadata.finalizers ?? [];
    const held = [...(dependents.get(owner.uid)?.values() ?? [])];
    if (finalizers.includes('orphan')) {
      for (const dependent of held) {
        const target = current(dependent);
        if (target === undefined) continue;
        store.rewrite(target, dependent.resource, (stored) => ({
          ...stored,
          metadata: {
            ...stored.metadata,
            ownerReferences: (stored.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner.uid),
          },
        }));
      }
      dropFinalizer(owner, 'orphan');
    } else if (finalizers.includes('foregroundDeletion')) {
      const blocking = held.filter((dependent) =>
        current(dependent)?.metadata.ownerReferences?.some(
          ({ uid, blockOwnerDeletion }) => uid === owner.uid && blockOwnerDeletion === true,
        ),
      );
      if (blocking.length === 0) dropFinalizer(owner, 'foregroundDeletion');
      for (const dependent of held) {
        if (current(dependent)?.metadata.deletionTimestamp === undefined) {
          store.delete(dependent.resource, dependent.namespace, dependent.name);
        }
      }
    }
  };

  const emptyNamespace = (name: string): void => {
    const namespaces = resources.find(({ kind, group }) => kind === 'Namespace' && group === '');
    if (namespaces === undefined) return;
    const namespace = store.collection(namespaces).get(name);
    if (namespace?.metadata.deletionTimestamp === undefined) return;
    const content = resources
      .filter(({ namespaced }) => namespaced)
      .flatMap((resource) =>
        [...store.collection(resource).values()]
          .filter((object) => object.metadata.namespace === name)
          .map((object) => ({ resource, object })),
      );
    for (const { resource, object } of content) {
      if (object.metadata.deletionTimestamp === undefined) store.delete(resource, name, object.metadata.name);
    }
    if (content.every(({ resource, object }) => !store.collection(resource).has(keyOf(name, object.metadata.name)))) {
      store.rewrite(namespace, namespaces, (stored) => ({ ...stored, spec: { finalizers: [] } }));
    }
  };

  const stop = store.listen(({ type, resource, object, previous }: Change) => {
    const held = heldOf(resource, object);
    const id = `${qualifiedName(resource)}/${keyOf(held.namespace, held.name)}`;
    const owners = object.metadata.ownerReferences ?? [];
    for (const { uid } of previous?.metadata.ownerReferences ?? []) dependents.get(uid)?.delete(id);
    if (type === 'DELETED') {
      alive.delete(held.uid);
      for (const dependent of dependents.get(held.uid)?.values() ?? []) later(() => collect(dependent));
      dependents.delete(held.uid);
      for (const owner of owners) {
        const target = resources.find((candidate) => candidate.kind === owner.kind);
        if (target === undefined) continue;
        const namespace = target.namespaced ? held.namespace : undefined;
        later(() => propagate({ resource: target, namespace, name: owner.name, uid: owner.uid }));
      }
    } else {
      alive.add(held.uid);
      for (const { uid } of owners) {
        const known = dependents.get(uid) ?? new Map<string, Held>();
        dependents.set(uid, known.set(id, held));
      }
      if (owners.length > 0) later(() => collect(held));
      if (object.metadata.deletionTimestamp !== undefined) later(() => propagate(held));
    }
    if (resource.kind === 'Namespace') later(() => emptyNamespace(held.name));
    else if (type === 'DELETED' && held.namespace !== undefined) {
      const { namespace } = held;
      later(() => emptyNamespace(namespace));
    }
  });

  return () => {
    stop();
    for (const task of pending) clearImmediate(task);
  };
}

interface Held {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uid: string;
}

function heldOf(resource: Resource, object: StoredObject): Held {
  const { namespace, name, uid } = object.metadata;
  return { resource, namespace, name, uid };
}
