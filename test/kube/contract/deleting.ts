import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import * as kinds from '#controller/kube/kinds.ts';
import { ContractClient, refusal } from '../contract-client.ts';
import { configMaps, type Ground } from './ground.ts';

/** How objects go, and what goes with them. */
export function describeDeleting({ client, connect, namespace, pod, claim }: Ground): void {
  describe('delete', () => {
    test('what has no finalizer goes at once; what is gone is not found', async () => {
      await client(configMaps).create({ name: 'gone' });
      await client(configMaps).delete('gone');
      expect(await refusal(client(configMaps).get('gone'))).toBe('not-found');
      expect(await refusal(client(configMaps).delete('gone'))).toBe('not-found');
    });

    test('a finalizer holds an object, marked as deleted, until it is taken off; none can be added meanwhile', async () => {
      const held = await client(kinds.ipamClaims).create({ name: 'held', finalizers: ['hawser.dev/one'] }, claim);
      await client(kinds.ipamClaims).delete('held');
      const marked = await client(kinds.ipamClaims).get('held');
      expect(marked.metadata.deletionTimestamp).toBeDefined();
      expect(marked.metadata.generation).toBe((held.metadata.generation ?? 0) + 1);
      const adding = { metadata: { finalizers: ['hawser.dev/one', 'hawser.dev/two'] } };
      expect(await refusal(client(kinds.ipamClaims).patch('held', 'merge', adding))).toBe('invalid');
      await client(kinds.ipamClaims).patch('held', 'merge', { metadata: { finalizers: [] } });
      expect(await refusal(client(kinds.ipamClaims).get('held'))).toBe('not-found');
    });

    test('a precondition on the UID spares an object made anew', async () => {
      await client(configMaps).create({ name: 'spared' });
      const options = { preconditions: { uid: randomUUID() } };
      expect(await refusal(client(configMaps).delete('spared', options))).toBe('conflict');
    });

    test('a pod on a node is given its grace period, one that is not goes at once', async () => {
      await client(kinds.pods).create({ name: 'unbound' }, pod());
      await client(kinds.pods).delete('unbound');
      expect(await refusal(client(kinds.pods).get('unbound'))).toBe('not-found');

      await client(kinds.pods).create({ name: 'placed' }, pod('node-a'));
      await client(kinds.pods).delete('placed');
      const terminating = await client(kinds.pods).get('placed');
      expect(terminating).toMatchObject({ metadata: { deletionGracePeriodSeconds: 30 } });
      await client(kinds.pods).delete('placed', { gracePeriodSeconds: 0 });
      expect(await refusal(client(kinds.pods).get('placed'))).toBe('not-found');
    });
  });

  describe('garbage collection', () => {
    const ownedBy = (owner: { metadata: { name: string; uid: string } }, blockOwnerDeletion = false) => ({
      ownerReferences: [
        {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          name: owner.metadata.name,
          uid: owner.metadata.uid,
          blockOwnerDeletion,
        },
      ],
    });

    test('what an object owns goes after it, and what that owns in turn', async () => {
      const owner = await client(configMaps).create({ name: 'owner' });
      const owned = await client(configMaps).create({ name: 'owned', ...ownedBy(owner) });
      await client(configMaps).create({ name: 'owned-in-turn', ...ownedBy(owned) });
      await client(configMaps).delete('owner');
      await client(configMaps).gone('owned');
      await client(configMaps).gone('owned-in-turn');
    });

    test('an owner deleted in the foreground goes last', async () => {
      const owner = await client(configMaps).create({ name: 'last' });
      await client(configMaps).create({ name: 'first', ...ownedBy(owner, true) });
      const { resourceVersion } = await client(configMaps).list();
      await using stream = await client(configMaps).watch({ resourceVersion });
      await client(configMaps).delete('last', { propagationPolicy: 'Foreground' });
      const gone: string[] = [];
      while (gone.length < 2) {
        const event = await stream.next();
        if (event?.type === 'DELETED') gone.push(event.name);
      }
      expect(gone).toEqual(['first', 'last']);
    });

    test('an orphan stays', async () => {
      const owner = await client(configMaps).create({ name: 'parent' });
      await client(configMaps).create({ name: 'orphan', ...ownedBy(owner) });
      await client(configMaps).delete('parent', { propagationPolicy: 'Orphan' });
      await client(configMaps).gone('parent');
      const orphan = await client(configMaps).get('orphan');
      expect(orphan.metadata).not.toHaveProperty('ownerReferences.0');
    });

    test('a namespace takes what is in it along', async () => {
      const name = `${namespace}-2`;
      await client(kinds.namespaces).create({ name });
      const inside = new ContractClient(connect().api, configMaps, name);
      await inside.create({ name: 'inside' });
      await client(kinds.namespaces).delete(name);
      await client(kinds.namespaces).gone(name);
      expect(await refusal(inside.get('inside'))).toBe('not-found');
    });
  });
}
