import { connect } from 'node:net';
import { northboundSchema } from '#controller/northbound/replica.ts';
import { encodeOperations } from '#ovsdb/transaction/encode-operations.ts';
import type { Operation } from '#ovsdb/transaction/operation.ts';
import { median } from './percentiles.ts';
import { northboundServer } from './server.ts';

/**
 * What ovsdb-server can do with the very rows of a burst: the same inserts and set entries, written as JSON beforehand, all sent at once on
 * one connection that replicates nothing.
 */
export class RawLimit implements AsyncDisposable {
  readonly #server: Awaited<ReturnType<typeof northboundServer>>;
  readonly #operations: readonly Operation[];
  /** Ports in a transaction → ports a second, of each run. */
  readonly #rates = new Map<number, number[]>();

  private constructor(server: Awaited<ReturnType<typeof northboundServer>>, operations: readonly Operation[]) {
    this.#server = server;
    this.#operations = operations;
  }

  /** @param database as it was before the burst. */
  static async on(database: string, operations: readonly unknown[]): Promise<RawLimit> {
    return new RawLimit(await northboundServer(database), operations.filter(isOperation));
  }

  /** One run with each of several batch sizes: as events come, and as the server likes it best. */
  async run(): Promise<void> {
    for (const batch of [1, 50, 200, 1000]) {
      const { texts, ports, undo } = requestsOf(this.#operations, batch);
      const started = performance.now();
      await exchange(this.#server.socket, texts);
      const rate = (ports / (performance.now() - started)) * 1000;
      this.#rates.set(batch, [...(this.#rates.get(batch) ?? []), rate]);
      await exchange(this.#server.socket, [undo]);
    }
  }

  /** Ports in a transaction → ports a second. */
  get rates(): ReadonlyMap<number, number> {
    return new Map([...this.#rates].map(([batch, rates]) => [batch, median(rates)]));
  }

  /** Of the batch size that is best for it; ports a second. */
  get best(): number {
    return Math.max(...this.rates.values());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server[Symbol.asyncDispose]();
  }
}

function isOperation(value: unknown): value is Operation {
  return typeof value === 'object' && value !== null && 'op' in value;
}

/** The burst's operations in batches of so many ports, each with its places in switches and groups. */
function requestsOf(
  operations: readonly Operation[],
  batch: number,
): { readonly texts: readonly string[]; readonly ports: number; readonly undo: string } {
  const places = new Map<string, { readonly table: string; readonly parent: string; readonly column: string }[]>();
  for (const operation of operations) {
    if (operation.op !== 'mutate' || !('_uuid' in Object(operation.where))) continue;
    const where: object = Object(operation.where);
    const parent = '_uuid' in where ? String(where._uuid) : '';
    for (const [column, mutator, value] of operation.mutations) {
      if (mutator !== 'insert' || !Array.isArray(value)) continue;
      for (const entry of value) {
        const known = places.get(String(entry)) ?? [];
        places.set(String(entry), [...known, { table: operation.table, parent, column }]);
      }
    }
  }
  const inserts = operations.filter((operation) => operation.op === 'insert');
  const others = inserts.filter(({ table }) => table !== 'Logical_Switch_Port');
  const ports = inserts.filter(({ table }) => table === 'Logical_Switch_Port');
  const texts: string[] = [];
  for (let at = 0; at < ports.length; at += batch) {
    const rows = [...(at === 0 ? others : []), ...ports.slice(at, at + batch)];
    const sets = new Map<string, { table: string; parent: string; column: string; entries: string[] }>();
    for (const { uuid } of rows) {
      for (const place of places.get(uuid ?? '') ?? []) {
        const id = `${place.parent} ${place.column}`;
        const set = sets.get(id) ?? { ...place, entries: [] };
        set.entries.push(uuid ?? '');
        sets.set(id, set);
      }
    }
    const mutations = [...sets.values()].map(
      ({ table, parent, column, entries }): Operation => ({
        op: 'mutate',
        table,
        where: { _uuid: parent },
        mutations: [[column, 'insert', entries]],
      }),
    );
    texts.push(requestOf([...rows, ...mutations]));
  }
  return { texts, ports: ports.length, undo: requestOf(undone(operations)) };
}

/** What takes everything back: a child goes with its place in its parent. */
function undone(operations: readonly Operation[]): readonly Operation[] {
  return operations.flatMap((operation): Operation[] => {
    if (operation.op === 'mutate') {
      const mutations = operation.mutations.filter(([, mutator]) => mutator === 'insert');
      return [{ ...operation, mutations: mutations.map(([column, , value]) => [column, 'delete', value]) }];
    }
    const { isRoot } = (operation.op === 'insert' && northboundSchema.tables[operation.table]) || {};
    if (operation.op !== 'insert' || !isRoot || operation.uuid === undefined) return [];
    return [{ op: 'delete', table: operation.table, where: { _uuid: operation.uuid } }];
  });
}

function requestOf(operations: readonly Operation[]): string {
  const encoded = encodeOperations(northboundSchema, operations);
  if (encoded.kind === 'invalid') throw new Error(encoded.error.message);
  return JSON.stringify({ method: 'transact', id: 0, params: ['OVN_Northbound', ...encoded.operations] });
}

/** Sends all requests and resolves with the last reply. The server reads no further while its replies are not read. */
async function exchange(path: string, texts: readonly string[]): Promise<void> {
  const socket = connect(path);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let replies = 0;
  socket.setEncoding('utf8');
  socket.on('error', reject);
  socket.on('data', (text: string) => {
    if (text.includes('"error":{') || text.includes('"details"')) reject(new Error(text.slice(0, 500)));
    replies += text.split('"id":').length - 1;
    if (replies >= texts.length) resolve();
  });
  for (const text of texts) socket.write(text);
  await promise;
  socket.destroy();
}
