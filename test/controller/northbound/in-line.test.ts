import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Board } from '#controller/engine/board.ts';
import { type Fact, mapEntry, row, setEntry } from '#controller/engine/facts.ts';
import { InLine } from '#controller/northbound/in-line.ts';
import { plan } from '#controller/northbound/plan.ts';
import { rowUuid } from '#controller/northbound/row-uuid.ts';
import { NorthboundWriter } from '#controller/northbound/writer.ts';
import { MemoryNorthbound } from './memory-northbound.ts';
import { mark } from './northbound-bed.ts';

/** What is said of one port, its group and its DHCP options, for all columns that a row of ours may differ in. */
const statements = fc.record({
  parent: fc.constantFrom('blue', 'red'),
  addresses: fc.subarray(['0a:58:0a:00:00:01 10.0.0.1', '0a:58:0a:00:00:02 10.0.0.2']),
  type: fc.constantFrom(undefined, 'localport'),
  tag: fc.constantFrom(undefined, 7, 8),
  chassis: fc.constantFrom(undefined, 'node-a', 'node-b'),
  pods: fc.subarray(['one', 'two']),
  hasOptions: fc.boolean(),
  isMember: fc.boolean(),
});
type Statements = typeof statements extends fc.Arbitrary<infer S> ? S : never;

const port = 'vm/default/db';
const portUuid = rowUuid('Logical_Switch_Port', port);

function* factsOf(said: Statements): Iterable<Fact> {
  const { parent, addresses, type, tag, chassis, pods, hasOptions, isMember } = said;
  for (const name of ['blue', 'red']) yield row('Logical_Switch', name, { name, external_ids: mark(name) });
  yield row('Port_Group', 'web', { name: 'web', external_ids: mark('web') });
  if (isMember) yield setEntry('Port_Group', 'web', 'ports', portUuid);
  yield row(
    'Logical_Switch_Port',
    port,
    { name: port, addresses, external_ids: mark(port), ...(type && { type }), ...(tag && { tag }) },
    { table: 'Logical_Switch', row: parent, column: 'ports' },
  );
  if (chassis !== undefined) yield mapEntry('Logical_Switch_Port', port, 'options', 'requested-chassis', chassis);
  for (const pod of pods) yield mapEntry('Logical_Switch_Port', port, 'external_ids', `hawser:pod:${pod}`, 'eth0');
  if (!hasOptions) return;
  yield row('DHCP_Options', 'guests', { cidr: '10.0.0.0/24', external_ids: mark('guests') });
  yield setEntry('Logical_Switch_Port', port, 'dhcpv4_options', rowUuid('DHCP_Options', 'guests'));
}

function boardOf(said: Statements): Board {
  const board = new Board();
  for (const fact of factsOf(said)) board.say('test', fact);
  return board;
}

/** A database that a controller has written, and that somebody has put keys of their own into since. */
async function databaseOf(said: Statements): Promise<MemoryNorthbound> {
  const northbound = new MemoryNorthbound();
  const writer = new NorthboundWriter(boardOf(said), northbound, { sleep: async () => {} });
  await writer.start();
  await writer.idle();
  await writer.close();
  const where = { _uuid: portUuid };
  const mutations = [['external_ids', 'insert', { theirs: 'yes' }]] as const;
  northbound.change([{ op: 'mutate', table: 'Logical_Switch_Port', where, mutations }]);
  return northbound;
}

function* rowsOf(board: Board) {
  for (const table of board.tables()) {
    for (const desired of board.rows(table)) yield { table, desired, uuid: rowUuid(table, desired.key) };
  }
}

test('for a row that is said to be in line nothing would be planned', async () => {
  const seen = new Set<boolean>();
  await fc.assert(
    fc.asyncProperty(statements, statements, async (before, after) => {
      const northbound = await databaseOf(before);
      const inLine = new InLine(northbound, northbound.schema);
      for (const unit of rowsOf(boardOf(after))) {
        const isInLine = inLine.has(unit.desired, unit.uuid);
        seen.add(isInLine);
        if (!isInLine) continue;
        const { operations, awaited } = plan([unit], northbound, northbound.schema);
        expect({ operations, awaited }).toEqual({ operations: [], awaited: [] });
      }
    }),
    { numRuns: 500 },
  );
  expect(seen.size).toBe(2);
});

test('of a database with nothing changed every row is in line', async () => {
  await fc.assert(
    fc.asyncProperty(statements, async (said) => {
      const northbound = await databaseOf(said);
      const inLine = new InLine(northbound, northbound.schema);
      const astray = [...rowsOf(boardOf(said))].filter(({ desired, uuid }) => !inLine.has(desired, uuid));
      expect(astray.map(({ desired }) => desired.key)).toEqual([]);
    }),
  );
});
