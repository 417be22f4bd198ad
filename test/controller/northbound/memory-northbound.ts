import type { ActualRow } from '#controller/northbound/plan.ts';
import { LargeSets, northboundSchema } from '#controller/northbound/replica.ts';
import type { Northbound, RowChange } from '#controller/northbound/writer.ts';
import { type Atom, kindOf, type Value } from '#ovsdb/schema.ts';
import type { Operation } from '#ovsdb/transaction/operation.ts';
import { operationError, type TransactionOutcome } from '#ovsdb/transaction/outcome.ts';

type Rows = ReadonlyMap<string, ReadonlyMap<string, ActualRow>>;

/** What happens to the next transaction: refused, or its reply lost before or after it took place. */
export type Fault = 'refused' | 'lostBefore' | 'lostAfter';

/**
 * The northbound database in memory, for histories too many for a server: what ovsdb-server does with the operations the writer
 * sends. It is held to the real one by memory-northbound.lab.test.ts.
 */
export class MemoryNorthbound implements Northbound {
  readonly schema = northboundSchema;
  readonly tables = [
    'DHCP_Options',
    'Logical_Switch',
    'Logical_Router',
    'Logical_Router_Port',
    'Port_Group',
    'ACL',
    'Logical_Switch_Port',
    'Logical_Router_Static_Route',
  ];
  operations = 0;
  onTransaction: (operations: readonly Operation[]) => void = () => {};
  faults: Fault[] = [];
  /** Turns of the event loop that a transaction takes. */
  turns = 0;
  #rows: Rows = new Map();
  #sets = new LargeSets();
  readonly #listeners = new Set<(change: RowChange) => void>();

  row(table: string, uuid: string): ActualRow | undefined {
    return this.#rows.get(table)?.get(uuid);
  }

  rows(table: string): ReadonlyMap<string, ActualRow> {
    return this.#rows.get(table) ?? new Map();
  }

  has(): boolean {
    return true;
  }

  referencesTo(uuid: string) {
    return this.#sets.index.of(uuid);
  }

  contains(...args: Parameters<Northbound['contains']>): boolean {
    return this.#sets.index.has(...args);
  }

  onChange(listener: (change: RowChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async transact(operations: readonly Operation[]): Promise<TransactionOutcome> {
    this.operations += operations.length;
    const fault = this.faults.shift();
    const unknown: TransactionOutcome = { status: 'outcomeUnknown', cause: new Error('the connection ended') };
    for (let turn = 0; turn < this.turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    if (fault === 'lostBefore') return unknown;
    if (fault === 'refused') return { status: 'refused', error: operationError('resources exhausted', '', undefined) };
    const outcome = this.change(operations);
    return fault === 'lostAfter' ? unknown : outcome;
  }

  /** Somebody's transaction. */
  change(operations: readonly Operation[]): TransactionOutcome {
    this.onTransaction(operations);
    const draft = new Draft(this.#rows);
    const error = draft.apply(operations) ?? draft.finish();
    if (error !== undefined) return { status: 'refused', error: operationError(error, '', undefined) };
    this.#publish(draft.rows);
    return { status: 'committed', results: operations.map(() => ({})) };
  }

  /** The database is another one from now on. */
  restore(rows: Rows): void {
    this.#publish(rows);
  }

  get content(): Rows {
    return this.#rows;
  }

  #publish(after: Rows): void {
    const before = this.#rows;
    this.#rows = after;
    const changes: RowChange[] = [];
    for (const table of this.tables) {
      const [old, now] = [before.get(table), after.get(table)];
      if (old === now) continue;
      for (const [uuid, row] of old ?? [])
        if (!now?.has(uuid)) changes.push(this.#sets.change(table, uuid, row, undefined));
      for (const [uuid, row] of now ?? []) {
        const earlier = old?.get(uuid);
        if (earlier !== row) changes.push(this.#sets.change(table, uuid, earlier, row));
      }
    }
    for (const listener of this.#listeners) for (const change of changes) listener(change);
  }
}

class Draft {
  readonly rows: Map<string, ReadonlyMap<string, ActualRow>>;
  readonly #own = new Map<string, Map<string, ActualRow>>();

  constructor(rows: Rows) {
    this.rows = new Map(rows);
  }

  /** The first operation's error. */
  apply(operations: readonly Operation[]): string | undefined {
    for (const operation of operations) {
      if (operation.op === 'insert') {
        const { table, uuid = '', row } = operation;
        if (this.rows.get(table)?.has(uuid)) return 'duplicate uuid';
        const made: Record<string, Value> = { _uuid: uuid };
        for (const name of Object.keys(northboundSchema.tables[table]?.columns ?? {})) {
          made[name] = this.#value(table, name, Object.hasOwn(row, name) ? row[name] : undefined);
        }
        this.#table(table).set(uuid, made);
      } else if (operation.op === 'update' || operation.op === 'mutate' || operation.op === 'delete') {
        const { table, where } = operation;
        const uuid = typeof where === 'object' && '_uuid' in where ? String(where._uuid) : '';
        const row = this.rows.get(table)?.get(uuid);
        if (row === undefined) continue;
        if (operation.op === 'delete') this.#table(table).delete(uuid);
        else if (operation.op === 'update') {
          const changed = Object.entries(operation.row).map(([name, value]) => [name, this.#value(table, name, value)]);
          this.#table(table).set(uuid, { ...row, ...Object.fromEntries(changed) });
        } else {
          let after = row;
          for (const [name, mutator, value] of operation.mutations) {
            const cell = mutated(after[name], mutator, value);
            const { min = 0 } = northboundSchema.tables[table]?.columns[name] ?? {};
            if (atoms(cell).length < min) return 'constraint violation';
            after = { ...after, [name]: cell };
          }
          this.#table(table).set(uuid, after);
        }
      }
    }
    return undefined;
  }

  /** What the server does at the commit: unreferenced children go, dangling weak references go, names are unique. */
  finish(): string | undefined {
    for (let isDone = false; !isDone; ) {
      isDone = true;
      const referenced = new Set<string>();
      for (const [table, rows] of this.rows) {
        for (const [name, { key }] of Object.entries(northboundSchema.tables[table]?.columns ?? {})) {
          if (key.refTable === undefined || key.refType === 'weak') continue;
          for (const row of rows.values()) for (const uuid of atoms(row[name])) referenced.add(String(uuid));
        }
      }
      for (const [table, rows] of this.rows) {
        if (northboundSchema.tables[table]?.isRoot) continue;
        for (const uuid of rows.keys()) {
          if (referenced.has(uuid)) continue;
          this.#table(table).delete(uuid);
          isDone = false;
        }
      }
    }
    return this.#dangling() ?? this.#doubled();
  }

  #dangling(): string | undefined {
    for (const [table, rows] of this.rows) {
      for (const [name, schema] of Object.entries(northboundSchema.tables[table]?.columns ?? {})) {
        const { refTable, refType } = schema.key;
        if (refTable === undefined) continue;
        for (const [uuid, row] of rows) {
          const kept = atoms(row[name]).filter((atom) => this.rows.get(refTable)?.has(String(atom)));
          if (kept.length === atoms(row[name]).length) continue;
          if (refType !== 'weak') return 'referential integrity violation';
          this.#table(table).set(uuid, { ...row, [name]: kindOf(schema) === 'set' ? kept : kept[0] });
        }
      }
    }
    return undefined;
  }

  #doubled(): string | undefined {
    for (const [table, rows] of this.rows) {
      for (const index of northboundSchema.tables[table]?.indexes ?? []) {
        const seen = new Set<string>();
        for (const row of rows.values()) {
          const id = index.map((column) => String(row[column])).join('\n');
          if (seen.has(id)) return 'constraint violation';
          seen.add(id);
        }
      }
    }
    return undefined;
  }

  #table(name: string): Map<string, ActualRow> {
    let own = this.#own.get(name);
    if (own === undefined) {
      own = new Map(this.rows.get(name));
      this.#own.set(name, own);
      this.rows.set(name, own);
    }
    return own;
  }

  #value(table: string, name: string, written: unknown): Value {
    const schema = northboundSchema.tables[table]?.columns[name];
    switch (schema && kindOf(schema)) {
      case 'map':
        return new Map<Atom, Atom>(
          (written instanceof Map ? [...written] : Object.entries(Object(written ?? {}))).map(([key, value]) => [
            key,
            String(value),
          ]),
        );
      case 'set':
        return Array.isArray(written) ? written.map(String) : written === undefined ? [] : [String(written)];
      case 'optional':
        return isAtom(written) ? written : undefined;
      default:
        if (isAtom(written)) return written;
        return schema?.key.type === 'integer' ? 0 : schema?.key.type === 'boolean' ? false : '';
    }
  }
}

function mutated(before: Value, mutator: string, value: unknown): Value {
  if (isMap(before)) {
    const map = new Map(before);
    if (mutator === 'delete') for (const key of Array.isArray(value) ? value : []) map.delete(key);
    else {
      for (const [key, item] of Object.entries(Object(value))) if (!map.has(key)) map.set(key, String(item));
    }
    return map;
  }
  const entries: readonly unknown[] = Array.isArray(value) ? value : [];
  const kept = atoms(before).filter((atom) => mutator !== 'delete' || !entries.includes(atom));
  if (mutator === 'delete') return kept;
  return [...kept, ...entries.map(String).filter((entry) => !kept.includes(entry))];
}

function atoms(value: Value): readonly Atom[] {
  if (value === undefined || isMap(value)) return [];
  return isAtom(value) ? [value] : [...value];
}

function isMap(value: Value): value is ReadonlyMap<Atom, Atom> {
  return typeof value === 'object' && 'get' in value;
}

function isAtom(value: unknown): value is Atom {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
