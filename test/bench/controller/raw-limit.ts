import { connect } from 'node:net';
import { northboundSchema } from '#controller/northbound/replica.ts';
import { encodeOperations } from '#ovsdb/transaction/encode-operations.ts';
import type { Operation } from '#ovsdb/transaction/operation.ts';
import { northboundServer } from './server.ts';

/**
 * What ovsdb-server can do with the very rows of a burst: the same inserts and set entries, written as JSON beforehand, all sent at once on
 * one connection that replicates nothing. The best of several batch sizes.
 */
export async function rawPortsPerSecond(database: string, operations: readonly unknown[]): Promise<number> {
  let best = 0;
  for (const batch of [50, 200, 1000]) {
    await using server = await northboundServer(database);
    const requests = requestsOf(operations.filter(isOperation), batch);
    const started = performance.now();
    await exchange(server.socket, requests.texts);
    best = Math.max(best, (requests.ports / (performance.now() - started)) * 1000);
  }
  return best;
}

function isOperation(value: unknown): value is Operation {
  return typeof value === 'object' && value !== null && 'op' in value;
}

/** The burst's operations in batches of so many ports, each with its places in switches and groups. */
function requestsOf(
  operations: readonly Operation[],
  batch: number,
): { readonly texts: string[]; readonly ports: number } {
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
    const encoded = encodeOperations(northboundSchema, [...rows, ...mutations]);
    if (encoded.kind === 'invalid') throw new Error(encoded.error.message);
    texts.push(JSON.stringify({ method: 'transact', id: at, params: ['OVN_Northbound', ...encoded.operations] }));
  }
  return { texts, ports: ports.length };
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
