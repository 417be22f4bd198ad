import { type ColumnKind, type ColumnSchema, type DatabaseSchema, kindOf } from '#ovsdb/schema.ts';
import { largeSets, ownedColumns, ownPrefix } from './owned-columns.ts';

/** A column that is ours on rows of ours, and that the running server has. */
export interface ColumnOfOurs {
  readonly name: string;
  readonly schema: ColumnSchema;
  readonly kind: ColumnKind;
  readonly isLarge: boolean;
}

/** The columns of owned-columns.ts as the schema describes them. */
export class ColumnsOfOurs {
  readonly #server: Server;
  readonly #schema: DatabaseSchema;
  readonly #known = new Map<string, readonly ColumnOfOurs[]>();

  constructor(server: Server, schema: DatabaseSchema) {
    this.#server = server;
    this.#schema = schema;
  }

  of(table: string): readonly ColumnOfOurs[] {
    let columns = this.#known.get(table);
    if (columns === undefined) {
      columns = this.#columns(table);
      this.#known.set(table, columns);
    }
    return columns;
  }

  #columns(table: string): readonly ColumnOfOurs[] {
    const all = described(this.#schema, table);
    const isThere = ({ name }: ColumnOfOurs) => this.#server.has(table, name);
    return all.every(isThere) ? all : all.filter(isThere);
  }
}

/** Whatever server it is. */
function described(schema: DatabaseSchema, table: string): readonly ColumnOfOurs[] {
  const tables = descriptions.get(schema) ?? new Map<string, readonly ColumnOfOurs[]>();
  descriptions.set(schema, tables);
  const known = tables.get(table);
  if (known !== undefined) return known;
  const columns = schema.tables[table]?.columns ?? {};
  const made = (ownedColumns[table] ?? []).flatMap((name) => {
    const column = columns[name];
    if (column === undefined) return [];
    return [{ name, schema: column, kind: kindOf(column), isLarge: largeSets[table]?.includes(name) ?? false }];
  });
  tables.set(table, made);
  return made;
}

const descriptions = new WeakMap<DatabaseSchema, Map<string, readonly ColumnOfOurs[]>>();

/** Which keys of a map of ours are ours. */
export function isOwnKey(column: string): (key: string) => boolean {
  return column === 'external_ids' ? (key) => key.startsWith(ownPrefix) : () => true;
}

interface Server {
  /** Whether the running server has the column; older ones lack some. */
  has(table: string, column: string): boolean;
}
