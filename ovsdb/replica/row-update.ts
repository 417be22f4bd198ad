import { OvsdbError } from '../errors.ts';
import { exactIfNeeded } from '../value/decode.ts';
import { parseExactly } from '../value/exact-integers.ts';
import { parseJson } from '../wire/json-text.ts';

/** Columns in wire form. */
export type Cells = Readonly<Record<string, unknown>>;

/** What a server says of one row: `<row-update2>`, or `<row-update>` of RFC 7047 in the same words. `cells` is the wire form. */
export type RowUpdate = {
  readonly table: string;
  readonly uuid: string;
} & (
  | { readonly kind: 'initial' | 'insert' | 'modify'; readonly cells: Cells }
  /** RFC 7047 `update`: the whole row after a change. */
  | { readonly kind: 'replace'; readonly cells: Cells }
  | { readonly kind: 'delete' }
);

/** Reads one row of a table update. Throws `OvsdbError` `protocol` if it is none. */
export function rowUpdateOf(table: string, uuid: string, wire: unknown): RowUpdate {
  if (typeof wire === 'object' && wire !== null) {
    const update: Readonly<Partial<Record<'initial' | 'insert' | 'modify' | 'delete' | 'old' | 'new', unknown>>> = wire;
    if (isCells(update.initial)) return { table, uuid, kind: 'initial', cells: update.initial };
    if (isCells(update.modify)) return { table, uuid, kind: 'modify', cells: update.modify };
    if (isCells(update.insert)) return { table, uuid, kind: 'insert', cells: update.insert };
    if (update.delete !== undefined) return { table, uuid, kind: 'delete' };
    if (isCells(update.new))
      return { table, uuid, kind: update.old === undefined ? 'insert' : 'replace', cells: update.new };
    if (update.old !== undefined) return { table, uuid, kind: 'delete' };
  }
  throw new OvsdbError('protocol', `not a row update of ${table} ${uuid}`);
}

const isCells = (wire: unknown): wire is Cells => typeof wire === 'object' && wire !== null;

/** The rows of `<table-updates>` or `<table-updates2>`, in the order sent. */
export function* rowUpdatesOf(wire: unknown): Iterable<RowUpdate> {
  if (typeof wire !== 'object' || wire === null) throw new OvsdbError('protocol', 'not table updates');
  for (const [table, rows] of Object.entries(wire)) {
    if (typeof rows !== 'object' || rows === null) throw new OvsdbError('protocol', `not updates of table ${table}`);
    for (const [uuid, row] of Object.entries(rows)) yield rowUpdateOf(table, uuid, row);
  }
}

/** Parses and takes one row's text; where `JSON.parse` rounds an integer, again exactly. */
export function takeRow(table: string, uuid: string, text: string, take: (update: RowUpdate) => void): void {
  exactIfNeeded((isExact) => take(rowUpdateOf(table, uuid, isExact ? parseExactly(text) : parseJson(text))));
}
