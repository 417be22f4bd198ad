import { map, optional, scalar, set } from '#ovsdb/column-types.ts';
import type { DatabaseSchema } from '#ovsdb/schema.ts';

export interface Thing {
  readonly name: string;
  readonly number: number;
  readonly ratio: number;
  readonly on: boolean;
  readonly maybe: string | undefined;
  readonly tags: readonly string[];
  readonly pair: readonly string[];
  readonly numbers: readonly number[];
  readonly options: ReadonlyMap<string, string>;
  readonly counters: ReadonlyMap<string, number>;
  readonly parts: readonly string[];
}

export type TestTables = { readonly Thing: { readonly row: Thing; readonly references: 'parts' } };

/** One table with a column of every kind; all rows are roots, so a real server treats it as the fake one does. */
export const testSchema: DatabaseSchema<TestTables> = {
  name: 'Test',
  version: '1.0.0',
  tables: {
    Thing: {
      isRoot: true,
      indexes: [['name']],
      columns: {
        name: scalar('string'),
        number: scalar('integer'),
        ratio: scalar('real'),
        on: scalar('boolean'),
        maybe: optional('string'),
        tags: set('string'),
        pair: set('string', { max: 2 }),
        numbers: set('integer'),
        options: map('string', 'string'),
        counters: map('string', 'integer'),
        parts: set({ type: 'uuid', refTable: 'Thing', refType: 'weak' }),
      },
    },
  },
};

export const allColumns = [
  'name',
  'number',
  'ratio',
  'on',
  'maybe',
  'tags',
  'pair',
  'numbers',
  'options',
  'counters',
  'parts',
] as const;

/** The same without types, as a database read at run time. */
export const untypedSchema: DatabaseSchema = { name: 'Test', version: '1.0.0', tables: testSchema.tables };
