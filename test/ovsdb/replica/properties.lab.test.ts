import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, type OvsdbClient } from '#ovsdb/client.ts';
import { type AtomType, type ColumnSchema, type DatabaseSchema, kindOf, type Value } from '#ovsdb/schema.ts';
import type { AnyOf, Operation } from '#ovsdb/transaction/operation.ts';
import type { WritableValue } from '#ovsdb/value/encode.ts';
import { Gate } from '../gate.ts';
import { type RealServer, ServerRoom } from '../real-server.ts';

let room: ServerRoom;
beforeAll(async () => {
  room = await ServerRoom.open();
});
afterAll(async () => {
  await room?.[Symbol.asyncDispose]();
});

// Few different values, so that edits meet each other.
const text = fc.constantFrom('', 'a', 'b', '"', '\\', '}{', 'ü€😀', 'longer than that');
const atoms: Readonly<Record<Exclude<AtomType, 'uuid' | 'real'>, fc.Arbitrary<string | number | boolean>>> = {
  string: text,
  integer: fc.constantFrom(0, 1, -1, 7, 2 ** 53 - 1),
  boolean: fc.boolean(),
};
const atomType = fc.constantFrom<keyof typeof atoms>('string', 'integer', 'boolean');

const column: fc.Arbitrary<ColumnSchema> = fc
  .record({
    key: atomType.map((type) => ({ type })),
    value: atomType.map((type) => ({ type })),
    shape: fc.constantFrom<Pick<ColumnSchema, 'min' | 'max'> & { readonly isMap: boolean }>(
      { min: 1, max: 1, isMap: false },
      { min: 0, max: 1, isMap: false },
      { min: 0, max: 2, isMap: false },
      { min: 0, max: Number.POSITIVE_INFINITY, isMap: false },
      { min: 0, max: 1, isMap: true },
      { min: 0, max: Number.POSITIVE_INFINITY, isMap: true },
    ),
  })
  .map(({ key, value, shape: { isMap, ...size } }) => ({ key, ...(isMap && { value }), ...size }));

const schemaOf = (columns: readonly ColumnSchema[], n: number): DatabaseSchema => ({
  name: 'Random',
  version: `1.0.${n}`,
  tables: {
    T: {
      isRoot: true,
      indexes: [],
      columns: {
        id: { key: { type: 'integer' }, min: 1, max: 1 },
        ...Object.fromEntries(columns.map((one, i) => [`c${i}`, one])),
      },
    },
  },
});

function valueFor(one: ColumnSchema): fc.Arbitrary<WritableValue> {
  const atom = (type: AtomType) => (type === 'uuid' || type === 'real' ? fc.constant(0) : atoms[type]);
  const maxLength = Math.min(one.max, 4);
  switch (kindOf(one)) {
    case 'scalar':
      return atom(one.key.type);
    case 'optional':
      return fc.option(atom(one.key.type), { nil: undefined });
    case 'set':
      return fc.uniqueArray(atom(one.key.type), { maxLength });
    case 'map':
      return fc
        .uniqueArray(fc.tuple(atom(one.key.type), atom(one.value?.type ?? 'string')), {
          maxLength,
          selector: ([key]) => key,
        })
        .map((pairs) => new Map(pairs));
  }
}

type Step =
  | { readonly kind: 'edit'; readonly operations: readonly Operation[] }
  | { readonly kind: 'cut' }
  | { readonly kind: 'condition'; readonly where: AnyOf };

function stepFor(schema: DatabaseSchema): fc.Arbitrary<Step> {
  const columns = Object.entries(schema.tables.T?.columns ?? {}).filter(([name]) => name !== 'id');
  const row = fc
    .tuple(...columns.map(([name, one]) => fc.option(valueFor(one).map((value) => [name, value] as const))))
    .map((cells) => Object.fromEntries(cells.filter((cell) => cell !== null)));
  const id = fc.nat(7);
  const operation = fc.oneof(
    fc
      .record({ id, row })
      .map(({ id: n, row: cells }): Operation => ({ op: 'insert', table: 'T', row: { ...cells, id: n } })),
    fc
      .record({ id, row })
      .map(({ id: n, row: cells }): Operation => ({ op: 'update', table: 'T', where: [['id', '==', n]], row: cells })),
    id.map((n): Operation => ({ op: 'delete', table: 'T', where: [['id', '==', n]] })),
  );
  const where = fc.oneof(
    fc.boolean(),
    fc.uniqueArray(id, { minLength: 1, maxLength: 3 }).map((ids): AnyOf => ids.map((n) => ['id', '==', n] as const)),
    id.map((n): AnyOf => [['id', '>', n]]),
  );
  return fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .array(operation, { minLength: 1, maxLength: 4 })
        .map((operations): Step => ({ kind: 'edit', operations })),
    },
    { weight: 1, arbitrary: fc.constant<Step>({ kind: 'cut' }) },
    { weight: 1, arbitrary: where.map((one): Step => ({ kind: 'condition', where: one })) },
  );
}

const plain = (value: Value): unknown => {
  if (typeof value !== 'object') return value;
  return Array.isArray(value) ? [...value].sort() : [...value.entries()].sort();
};
const plainRows = (rows: Iterable<object>) =>
  [...rows]
    .map((row) =>
      Object.fromEntries(
        Object.entries(row)
          .filter(([name]) => name !== '_version')
          .map(([name, value]) => [name, plain(value)])
          .sort(),
      ),
    )
    .sort((a, b) => (String(a._uuid) < String(b._uuid) ? -1 : 1));

const selected = (where: AnyOf, rows: readonly object[]) =>
  rows.filter((row) => {
    const id = 'id' in row ? Number(row.id) : -1;
    return typeof where === 'boolean'
      ? where
      : where.some(([, test, value]) => (test === '==' ? id === value : id > Number(value)));
  });

/** Plays steps; then, and at each condition, the replica must be what `select` finds, and its told changes must lead from before to after. */
async function play(
  server: RealServer,
  schema: DatabaseSchema,
  steps: readonly Step[],
  editor: OvsdbClient,
): Promise<void> {
  const gate = new Gate();
  await using client = await connect({
    remotes: [server.remote],
    dial: gate.dial,
    databases: ['Random'],
    backoff: { firstMs: 1, longestMs: 1 },
  });
  const columns = Object.keys(schema.tables.T?.columns ?? {});
  await using replica = await client.replicate(schema, { T: { columns } });
  const told = new Map<string, object>();
  replica.onChanges(
    ({ changes }) => {
      for (const { uuid, before, after } of changes) {
        expect(told.get(uuid)).toBe(before);
        if (after) told.set(uuid, after);
        else told.delete(uuid);
      }
    },
    { initial: true },
  );
  let where: AnyOf = true;
  const settled: Promise<void>[] = [];
  for (const step of steps) {
    if (step.kind === 'cut') gate.cut();
    else if (step.kind === 'edit') await editor.transact(schema, step.operations);
    else {
      where = step.where;
      settled.push(replica.setCondition('T', where));
    }
  }
  await Promise.all(settled);
  await caughtUp(replica);
  const outcome = await editor.transact(schema, [{ op: 'select', table: 'T', where: true }]);
  if (outcome.status !== 'committed') throw new Error(JSON.stringify(outcome));
  const [{ rows }] = outcome.results;
  const mine = plainRows(replica.tables.T?.rows.values() ?? []);
  expect(mine).toEqual(plainRows(selected(where, rows)));
  expect(plainRows(told.values())).toEqual(mine);
  await editor.transact(schema, [{ op: 'delete', table: 'T', where: true }]);
}

/** A barrier, over as many connections as it takes. */
async function caughtUp(replica: { barrier(): Promise<void>; onChanges: unknown }): Promise<void> {
  for (;;) {
    try {
      await replica.barrier();
      return;
    } catch {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

test.for([
  { kind: 'standalone', schemas: 6, histories: 60 },
  { kind: 'clustered', schemas: 3, histories: 60 },
])(
  'a replica of a $kind server equals select after any history of edits, cuts and conditions',
  { timeout: 100_000 },
  async ({ kind, schemas, histories }) => {
    const sampled = fc.sample(fc.array(column, { minLength: 2, maxLength: 6 }), { numRuns: schemas, seed: 20_261_121 });
    for (const [n, columns] of sampled.entries()) {
      const schema = schemaOf(columns, n);
      const path = await room.writeSchema(schema);
      const [server] = kind === 'standalone' ? [await room.standalone(path)] : await room.cluster(path, 1);
      if (!server) throw new Error('no server');
      await using editor = await connect({
        remotes: [server.remote],
        databases: ['Random'],
        backoff: { firstMs: 10, longestMs: 50 },
      });
      await fc.assert(
        fc.asyncProperty(fc.array(stepFor(schema), { minLength: 1, maxLength: 25 }), (steps) =>
          play(server, schema, steps, editor),
        ),
        { numRuns: histories, seed: n },
      );
      await server.kill();
    }
  },
);
