import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pods } from '#controller/kube/kinds.ts';
import type { Faults } from '#test/lab/kube-api/faults.ts';
import { resources } from '#test/lab/kube-api/resources.ts';
import { startKubeApi } from '#test/lab/kube-api/server.ts';
import { podsOf, watchPods } from './watching.ts';

type Step =
  | { readonly do: 'create' | 'label' | 'delete'; readonly pod: number }
  | { readonly do: 'fault'; readonly faults: Faults }
  | { readonly do: 'drop' | 'compact' | 'breathe' };

const pod = fc.integer({ min: 0, max: 4 });
const few = fc.integer({ min: 0, max: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('create', 'label', 'delete'), pod }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('drop', 'compact') }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('breathe') }) },
  {
    weight: 1,
    arbitrary: fc
      .oneof(
        few.map((n) => ({ watch: { resetAfterEvents: n } })),
        few.map((n) => ({ watch: { endAfterEvents: n } })),
        fc.constant({ watch: { goneInStream: true } }),
        fc.constant({ watch: { goneStatus: true } }),
        fc.constant({ watch: { garbage: true } }),
        fc.constant({ refuse: { status: 503 } }),
        fc.constant({ latencyMs: 1 }),
        fc.constant({}),
      )
      .map((faults): Step => ({ do: 'fault', faults })),
  },
);

test('whatever goes wrong on the way, in the end the sink has what a fresh list has', { timeout: 60_000 }, async () => {
  const [resource] = resources.filter(({ kind }) => kind === 'Pod');
  if (resource === undefined) throw new Error('the stand-in serves no pods');
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      await using server = await startKubeApi();
      await using watch = watchPods(server);
      const { create, label, delete: remove } = podsOf(server);
      for (const [index, current] of steps.entries()) {
        if ('pod' in current) {
          const name = `pod-${current.pod}`;
          const isThere = server.store.collection(resource).has(`default/${name}`);
          if (current.do === 'create' && !isThere) create(name);
          if (current.do === 'label' && isThere) label(name, { step: String(index) });
          if (current.do === 'delete' && isThere) remove(name);
        } else if (current.do === 'fault') {
          server.setFaults(current.faults);
        } else if (current.do === 'drop') {
          server.dropWatches();
        } else if (current.do === 'compact') {
          server.compact();
        } else {
          // Long enough for a request and its answer, so that the next step meets a watch under way.
          for (let turn = 0; turn < 30; turn += 1) await new Promise(setImmediate);
        }
      }
      server.setFaults({});
      // The watch that is open may still be under a fault of its time.
      server.dropWatches();
      const wanted = new Map([...server.store.collection(resource)].map(([key, json]) => [key, pods.trim(json)]));
      await watch.shelf.until(
        () => JSON.stringify([...watch.shelf.objects].sort()) === JSON.stringify([...wanted].sort()),
      );
      expect(watch.shelf.objects).toEqual(wanted);
    }),
    { numRuns: 100 },
  );
});
