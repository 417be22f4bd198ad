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
    const known = this.#schema.tables[table]?.columns ?? {};
    return (ownedColumns[table] ?? []).flatMap((name) => {
      const schema = known[name];
      if (schema === undefined || !this.#server.has(table, name)) return [];
      return [{ name, schema, kind: kindOf(schema), isLarge: largeSets[table]?.includes(name) ?? false }];
    });
  }
}

/** Which keys of a map of ours are ours. */
export function isOwnKey(column: string): (key: string) => boolean {
  return column === 'external_ids' ? (key) => key.startsWith(ownPrefix) : () => true;
}

interface Server {
  /** Whether the running server has the column; older ones lack some. */
  has(table: string, column: string): boolean;
}
