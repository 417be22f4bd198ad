import { expect, test } from 'vitest';
import type { Operation } from '#ovsdb/transaction/operation.ts';
import { serverErrors } from '#ovsdb/transaction/outcome.ts';
import { OutcomeReader } from '#ovsdb/transaction/outcome-reader.ts';
import { untypedSchema } from '../test-schema.ts';

const insert: Operation = { op: 'insert', table: 'Thing', row: {} };
const uuid = '0c9e1c53-1fbb-4f0d-9f63-6b5d1f8a1b60';
const read = (operations: readonly Operation[], result: unknown) =>
  new OutcomeReader(untypedSchema, operations).outcome({ kind: 'result', result, reparse: () => result });

test('every operation has a result, those that only check an empty one', () => {
  const operations: Operation[] = [
    insert,
    { op: 'delete', table: 'Thing', where: true },
    { op: 'comment', comment: 'why' },
    { op: 'assert', lock: 'l' },
    { op: 'commit', durable: true },
  ];
  expect(read(operations, [{ uuid: ['uuid', uuid] }, { count: 3 }, {}, {}, {}])).toEqual({
    status: 'committed',
    results: [{ uuid }, { count: 3 }, {}, {}, {}],
  });
});

test('successes, one error and nulls: the operation with the error is named', () => {
  const results = [{ uuid: ['uuid', uuid] }, { error: 'aborted', details: 'aborted by request' }, null];
  expect(read([insert, { op: 'abort' }, insert], results)).toEqual({
    status: 'refused',
    error: {
      kind: 'aborted',
      error: 'aborted',
      details: 'aborted by request',
      operationIndex: 1,
      message: 'aborted in operation 1: aborted by request',
    },
  });
});

test('one error more than operations is that of the commit', () => {
  expect(read([insert], [{ uuid: ['uuid', uuid] }, { error: 'constraint violation', details: 'twice' }])).toMatchObject(
    {
      status: 'refused',
      error: {
        kind: 'constraintViolation',
        operationIndex: undefined,
        message: 'constraint violation at commit: twice',
      },
    },
  );
});

test('too few results, and nulls without an error, are never taken for a commit', () => {
  for (const result of [[], [null], {}, null, 'x']) {
    expect(read([insert], result)).toMatchObject({ status: 'refused', error: { kind: 'internalError' } });
  }
});

test('every error name of ovsdb-server has a kind of its own, a new one is kept by name', () => {
  const kinds = Object.keys(serverErrors).map((error) => {
    const outcome = read([insert], [{ error }]);
    return outcome.status === 'refused' && outcome.error.kind;
  });
  expect(kinds).toEqual(Object.values(serverErrors));
  expect(new Set(kinds).size).toBe(kinds.length);
  expect(read([insert], [{ error: 'brand new' }])).toMatchObject({ error: { kind: 'other', error: 'brand new' } });
});
