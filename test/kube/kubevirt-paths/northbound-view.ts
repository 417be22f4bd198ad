import { largeSets, ownedColumns, ownerKey } from '#controller/northbound/owned-columns.ts';
import type { ActualRow } from '#controller/northbound/plan.ts';
import { northboundSchema, replicateNorthbound } from '#controller/northbound/replica.ts';
import { rowUuid } from '#controller/northbound/row-uuid.ts';
import type { Northbound } from '#controller/northbound/writer.ts';
import type { PlainValue, RowState } from '#controller/replay/northbound-rows.ts';
import { connect } from '#ovsdb/client.ts';
import type { Value } from '#ovsdb/schema.ts';

/** The northbound database as another of its clients sees it, in the words of a replay. */
export class NorthboundView implements AsyncDisposable {
  readonly #northbound: Northbound;
  readonly #client: Awaited<ReturnType<typeof connect>>;
  readonly #namespaces = new Map<string, Map<string, Place>>();
  readonly #waiting = new Set<() => void>();
  readonly #steps = new Map<string, string[]>();
  #isLookDue = false;
  readonly #changes: string[] = [];

  private constructor(northbound: Northbound, client: Awaited<ReturnType<typeof connect>>) {
    this.#northbound = northbound;
    this.#client = client;
    for (const table of northbound.tables) {
      for (const [uuid, row] of northbound.rows(table)) this.#take(table, uuid, undefined, row);
    }
    northbound.onChange(({ table, uuid, before, after }) => {
      this.#changes.push(`${table}/${String((after ?? before)?.name ?? uuid)} ${columnsOf(before, after)}`);
      this.#take(table, uuid, before, after);
      this.#lookSoon();
    });
  }

  static async open(remote: string): Promise<NorthboundView> {
    const client = await connect({ remotes: [remote] });
    return new NorthboundView(await replicateNorthbound(client, AbortSignal.timeout(20_000)), client);
  }

  /** The rows that came, changed or went since this was last called, and their columns. */
  takeChanges(): readonly string[] {
    return this.#changes.splice(0);
  }

  /** The rows of these namespaces as `<table>/<name>`; `known`: names of rows that they may refer to. */
  rowsOf(namespaces: readonly string[], known: Iterable<string>): ReadonlyMap<string, RowState> {
    const names = new Map([...known].map((id) => [uuidOf(id), nameOf(id)]));
    const rows = new Map<string, RowState>();
    for (const namespace of namespaces) {
      for (const [uuid, { table, name }] of this.#namespaces.get(namespace) ?? []) {
        const row = this.#northbound.row(table, uuid);
        if (row !== undefined) rows.set(`${table}/${names.get(uuid) ?? name}`, shown(table, row, names));
      }
    }
    return rows;
  }

  /** What has been asked of OVN for a port, step by step (`requestOf`); `no port` since it has gone. */
  stepsOf(port: string): readonly string[] {
    return this.#steps.get(port) ?? [];
  }

  /** Addresses that two ports of one switch have. */
  sharedAddresses(): readonly string[] {
    const seen = new Set<string>();
    const shared: string[] = [];
    for (const [uuid, { addresses }] of this.#northbound.rows('Logical_Switch_Port')) {
      const [inSwitch] = this.#northbound.referencesTo(uuid);
      const given = Array.isArray(addresses) ? addresses.flatMap((text) => String(text).split(' ')) : [];
      for (const address of given) {
        const held = `${address} in ${inSwitch?.uuid}`;
        if (seen.has(held)) shared.push(held);
        seen.add(held);
      }
    }
    return shared;
  }

  /** Resolves when `differs` finds no difference any more; rejects with what it finds after `seconds`. */
  async until(differs: () => string | undefined, seconds = 20): Promise<void> {
    if (differs() === undefined) return;
    await new Promise<void>((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        settle();
      };
      const look = () => {
        if (differs() === undefined) end(resolve);
      };
      const timer = setTimeout(() => end(() => reject(new Error(`after ${seconds} s: ${differs()}`))), seconds * 1000);
      this.#waiting.add(look);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }

  #take(table: string, uuid: string, before: ActualRow | undefined, after: ActualRow | undefined): void {
    const name = String(mapOf((after ?? before)?.external_ids).get(ownerKey) ?? uuid);
    const namespace = /(?:^|\/)(?:vm|pod|network)\/([^/]+)\//.exec(name)?.[1];
    if (namespace === undefined) return;
    const rows = this.#namespaces.get(namespace) ?? new Map<string, Place>();
    this.#namespaces.set(namespace, rows);
    if (after === undefined) rows.delete(uuid);
    else rows.set(uuid, { table, name });
    if (table !== 'Logical_Switch_Port') return;
    const port = String((after ?? before)?.name);
    this.#steps.set(port, withStep(this.#steps.get(port) ?? [], after && shown(table, after, new Map())));
  }

  #lookSoon(): void {
    if (this.#isLookDue) return;
    this.#isLookDue = true;
    setImmediate(() => {
      this.#isLookDue = false;
      for (const look of [...this.#waiting]) look();
    });
  }
}

/** A port's steps, and the one it is at now; a port that was never there has none. */
export function withStep(steps: readonly string[], row: RowState | undefined): string[] {
  const step = requestOf(row);
  const isNews = step !== steps.at(-1) && (row !== undefined || steps.length > 0);
  return isNews ? [...steps, step] : [...steps];
}

/** `node-a,node-b rarp`: the chassis that are asked for, and what the second one waits for. */
function requestOf(row: RowState | undefined): string {
  if (row === undefined) return 'no port';
  const options: Readonly<Record<string, string>> = Object(row.options);
  return [options['requested-chassis'], options['activation-strategy']].filter(Boolean).join(' ');
}

function columnsOf(before: ActualRow | undefined, after: ActualRow | undefined): string {
  if (before === undefined || after === undefined) return after === undefined ? 'went' : 'came';
  return Object.keys(after)
    .filter((column) => after[column] !== before[column])
    .join();
}

interface Place {
  readonly table: string;
  readonly name: string;
}

function uuidOf(id: string): string {
  return rowUuid(id.slice(0, id.indexOf('/')), nameOf(id));
}

function nameOf(id: string): string {
  return id.slice(id.indexOf('/') + 1);
}

/** As `RowState` has it, less what is empty. */
function shown(table: string, row: ActualRow, names: ReadonlyMap<string, string>): RowState {
  const schemas = northboundSchema.tables[table]?.columns ?? {};
  const columns = [...new Set([...(ownedColumns[table] ?? []), ...(largeSets[table] ?? [])])].sort();
  const all: Record<string, PlainValue> = {};
  for (const column of columns) {
    const [schema, value] = [schemas[column], row[column]];
    if (schema === undefined || value === undefined) continue;
    const plain = plainOf(value, (text) => (schema.key.type === 'uuid' ? (names.get(text) ?? text) : text));
    const one = schema.max === 1 && Array.isArray(plain) ? plain[0] : plain;
    if (one !== undefined) all[column] = one;
  }
  return all;
}

function plainOf(value: Value, named: (text: string) => string): PlainValue {
  if (Array.isArray(value)) return value.map((item) => named(String(item))).sort();
  const map = mapOf(value);
  if (map.size > 0) {
    const entries = [...map].map(([key, item]): [string, string] => [String(key), named(String(item))]);
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
  if (typeof value === 'object') return {};
  return typeof value === 'string' ? named(value) : typeof value === 'boolean' ? value : Number(value);
}

function mapOf(value: Value | undefined): ReadonlyMap<unknown, unknown> {
  return typeof value === 'object' && 'get' in value ? value : new Map();
}
