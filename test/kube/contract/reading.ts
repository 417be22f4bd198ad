import { describe, expect, test } from 'vitest';
import * as kinds from '#controller/kube/kinds.ts';
import { refusal } from '../contract-client.ts';
import type { StreamedEvent } from '../event-stream.ts';
import { configMaps, type Ground } from './ground.ts';

/** How lists and watches tell what there is. */
export function describeReading({ client, connect, pod, claim }: Ground): void {
  describe('list', () => {
    test('pages are of one state, whatever is written between them', async () => {
      for (const name of ['p1', 'p2', 'p3', 'p4', 'p5'])
        await client(kinds.ipamClaims).create({ name, labels: { paged: '' } }, claim);
      const query = { labelSelector: 'paged', limit: 2 };
      const first = await client(kinds.ipamClaims).list(query);
      await client(kinds.ipamClaims).create({ name: 'p6', labels: { paged: '' } }, claim);
      await client(kinds.ipamClaims).delete('p5');
      const second = await client(kinds.ipamClaims).list({ ...query, continue: first.continueToken });
      const third = await client(kinds.ipamClaims).list({ ...query, continue: second.continueToken });
      expect([first.names, second.names, third.names]).toEqual([['p1', 'p2'], ['p3', 'p4'], ['p5']]);
      expect(third.continueToken).toBeUndefined();
      expect(new Set([first, second, third].map(({ resourceVersion }) => resourceVersion)).size).toBe(1);
    });

    test('a continue token that makes no sense is refused', async () => {
      expect(await refusal(client(configMaps).list({ limit: 1, continue: 'nonsense' }))).toBe('refused');
    });

    const selected: [selector: string, names: string[]][] = [
      ['tier=db', ['s1']],
      ['tier==db,zone=a', ['s1']],
      ['tier!=db,in=selection', ['s2', 's3']],
      ['tier in (db, web)', ['s1', 's2']],
      ['tier notin (db),in=selection', ['s2', 's3']],
      ['zone', ['s1']],
      ['!zone,in=selection', ['s2', 's3']],
    ];
    test('labels select', async () => {
      const labels = { in: 'selection' };
      await client(configMaps).create({ name: 's1', labels: { ...labels, tier: 'db', zone: 'a' } });
      await client(configMaps).create({ name: 's2', labels: { ...labels, tier: 'web' } });
      await client(configMaps).create({ name: 's3', labels });
      for (const [labelSelector, names] of selected) {
        expect([labelSelector, (await client(configMaps).list({ labelSelector })).names]).toEqual([
          labelSelector,
          names,
        ]);
      }
    });

    test('fields select: metadata.name of all kinds, spec.nodeName of pods, and no unknown one', async () => {
      await client(kinds.pods).create({ name: 'on-a' }, pod('node-a'));
      await client(kinds.pods).create({ name: 'on-b' }, pod('node-b'));
      expect((await client(kinds.pods).list({ fieldSelector: 'spec.nodeName=node-b' })).names).toEqual(['on-b']);
      expect((await client(kinds.pods).list({ fieldSelector: 'metadata.name=on-a' })).names).toEqual(['on-a']);
      expect(await refusal(client(kinds.pods).list({ fieldSelector: 'spec.colour=red' }))).toBe('refused');
      for (const name of ['on-a', 'on-b']) await client(kinds.pods).delete(name, { gracePeriodSeconds: 0 });
    });
  });

  describe('the kinds our controller watches', () => {
    const watched = Object.values(kinds).filter((value) => typeof value === 'object');
    test.each(watched)('$kind is served', async (kind) => {
      const { resourceVersion } = await client(kind).list();
      await using _stream = await client(kind).watch({ resourceVersion });
    });

    test('a policy is created, changed and deleted', async () => {
      const spec = { podSelector: { matchLabels: { app: 'db' } }, policyTypes: ['Ingress'] };
      const made = await client(kinds.networkPolicies).create({ name: 'closed' }, { spec });
      expect(made).toMatchObject({ spec, metadata: { generation: 1 } });
      const policyTypes = ['Ingress', 'Egress'];
      const changed = await client(kinds.networkPolicies).patch('closed', 'merge', { spec: { policyTypes } });
      expect(changed).toMatchObject({ spec: { ...spec, policyTypes }, metadata: { generation: 2 } });
      await client(kinds.networkPolicies).delete('closed');
      expect(await refusal(client(kinds.networkPolicies).get('closed'))).toBe('not-found');
    });
  });

  describe('watch', () => {
    test('from a list on, each change once and in order; a deletion has a version of its own', async () => {
      const { resourceVersion } = await client(kinds.ipamClaims).list();
      await using stream = await client(kinds.ipamClaims).watch({ resourceVersion });
      const made = await client(kinds.ipamClaims).create({ name: 'seen' }, claim);
      const patched = await client(kinds.ipamClaims).patch('seen', 'merge', { metadata: { labels: { a: '1' } } });
      await client(kinds.ipamClaims).delete('seen');
      const events = [await stream.next(), await stream.next(), await stream.next()];
      expect(events.map((event) => event?.type)).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
      expect(events[0]?.object).toMatchObject({ kind: 'IPAMClaim', apiVersion: 'k8s.cni.cncf.io/v1alpha1' });
      expect(events[0]?.resourceVersion).toBe(made.metadata.resourceVersion);
      expect(events[1]?.resourceVersion).toBe(patched.metadata.resourceVersion);
      expect(events[2]?.object).toMatchObject({ metadata: { labels: { a: '1' } } });
      expect(Number(events[2]?.resourceVersion)).toBeGreaterThan(Number(patched.metadata.resourceVersion));
    });

    test('a watch that starts late is told all that it missed', async () => {
      const { resourceVersion } = await client(kinds.ipamClaims).list();
      await client(kinds.ipamClaims).create({ name: 'missed' }, claim);
      await client(kinds.ipamClaims).delete('missed');
      await using stream = await client(kinds.ipamClaims).watch({ resourceVersion });
      expect(await stream.take(2)).toEqual(['ADDED missed', 'DELETED missed']);
    });

    test('without a version it begins with what there is', async () => {
      await client(configMaps).create({ name: 'w1', labels: { begins: '' } });
      await using stream = await client(configMaps).watch({ labelSelector: 'begins' });
      await client(configMaps).create({ name: 'w2', labels: { begins: '' } });
      expect(await stream.take(2)).toEqual(['ADDED w1', 'ADDED w2']);
    });

    test('an object that comes to match a selector is ADDED, one that ceases to is DELETED', async () => {
      const { resourceVersion } = await client(configMaps).list();
      await using stream = await client(configMaps).watch({ resourceVersion, labelSelector: 'tier=fast' });
      await client(configMaps).create({ name: 'moving' });
      await client(configMaps).patch('moving', 'merge', { metadata: { labels: { tier: 'fast' } } });
      const slow = await client(configMaps).patch('moving', 'merge', { metadata: { labels: { tier: 'slow' } } });
      const [added, deleted] = [await stream.next(), await stream.next()];
      expect([added?.type, deleted?.type]).toEqual(['ADDED', 'DELETED']);
      expect(deleted?.object).toMatchObject({ metadata: { labels: { tier: 'fast' } } });
      expect(deleted?.resourceVersion).toBe(slow.metadata.resourceVersion);
    });

    test('timeoutSeconds ends it, cleanly, after a bookmark that is past what was not selected', {
      timeout: 20_000,
    }, async () => {
      const { resourceVersion } = await client(configMaps).list();
      await using stream = await client(configMaps).watch({
        resourceVersion,
        // A real server looks about every second for watches that end within two, and sends those a bookmark.
        timeoutSeconds: 6,
        allowWatchBookmarks: true,
        fieldSelector: 'metadata.name=never-there',
      });
      const { metadata } = await client(configMaps).create({ name: 'not-selected' });
      const bookmarks: StreamedEvent[] = [];
      for (let event = await stream.next(); event !== undefined; event = await stream.next()) bookmarks.push(event);
      expect(new Set(bookmarks.map(({ type }) => type))).toEqual(new Set(['BOOKMARK']));
      expect(bookmarks.at(-1)).toMatchObject({ object: { kind: 'ConfigMap' } });
      expect(Number(bookmarks.at(-1)?.resourceVersion)).toBeGreaterThanOrEqual(Number(metadata.resourceVersion));
    });

    test('from before the history it is refused with 410 in the stream', async () => {
      connect().forgetHistory();
      await using stream = await client(kinds.ipamClaims).watch({ resourceVersion: '1' });
      const event = await stream.next();
      expect(event?.type).toBe('ERROR');
      expect(event?.object).toMatchObject({ kind: 'Status', code: 410, reason: 'Expired' });
    });
  });
}
