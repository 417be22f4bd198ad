import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Board } from '#controller/engine/board.ts';
import { mapEntry, row } from '#controller/engine/facts.ts';
import { rowUuid } from '#controller/northbound/row-uuid.ts';
import { mark, northboundBed, sayPort, saySwitch, until } from './northbound-bed.ts';

let bed: Awaited<ReturnType<typeof northboundBed>>;
beforeEach(async () => {
  bed = await northboundBed();
});
afterEach(async () => {
  await bed[Symbol.asyncDispose]();
});

const port = 'vm/default/db';

test('a switch, its ports and what they refer to land in one transaction', async () => {
  saySwitch(bed.board, 'blue', [port], { 'requested-chassis': 'node-a' });
  const { events } = await bed.writer(bed.board);
  expect(events).toMatchObject([{ kind: 'committed', rows: 3 }]);
  expect(await bed.nbctl('--bare', '--columns=name,options', 'list', 'Logical_Switch_Port')).toBe(
    `${port}\nrequested-chassis=node-a`,
  );
  expect(await bed.nbctl('lsp-get-dhcpv4-options', port)).toContain(rowUuid('DHCP_Options', 'dhcp/blue'));
});

test('a restart with nothing changed writes nothing', async () => {
  saySwitch(bed.board, 'blue', [port, 'pod/default/web'], { 'requested-chassis': 'node-a' });
  const first = await bed.writer(bed.board);
  await first.writer.close();
  const again = new Board();
  saySwitch(again, 'blue', [port, 'pod/default/web'], { 'requested-chassis': 'node-a' });
  const second = await bed.writer(again);
  expect(second.operations()).toBe(0);
});

test('a restart takes away what is ours and wanted no more, and leaves the rows and columns of others', async () => {
  saySwitch(bed.board, 'blue', [port], { 'requested-chassis': 'a,b', 'activation-strategy': 'rarp' });
  saySwitch(bed.board, 'old', ['pod/default/gone']);
  await (await bed.writer(bed.board)).writer.close();
  await bed.nbctl('ls-add', 'theirs', '--', 'lsp-add', 'theirs', 'their-port');
  await bed.nbctl('lsp-add', 'blue', 'their-port-on-ours');
  await bed.nbctl('set', 'Logical_Switch', 'blue', 'external_ids:billing=42');

  const again = new Board();
  saySwitch(again, 'blue', [port], { 'requested-chassis': 'b' });
  await bed.writer(again);
  expect((await bed.nbctl('--bare', '--columns=name', 'list', 'Logical_Switch')).split(/\s+/).sort()).toEqual([
    'blue',
    'theirs',
  ]);
  expect((await bed.nbctl('--bare', '--columns=name', 'list', 'Logical_Switch_Port')).split(/\s+/).sort()).toEqual([
    'their-port',
    'their-port-on-ours',
    port,
  ]);
  expect(await bed.nbctl('get', 'Logical_Switch_Port', port, 'options')).toBe('{requested-chassis=b}');
  expect(await bed.nbctl('get', 'Logical_Switch', 'blue', 'external_ids:billing')).toBe('"42"');
});

test('nothing is written before it is started', async () => {
  saySwitch(bed.board, 'blue', [port]);
  const { operations } = await bed.writer(bed.board, { start: false });
  expect(operations()).toBe(0);
  expect(await bed.nbctl('ls-list')).toBe('');
});

describe("somebody else's edit of our rows is repaired", () => {
  test('a changed value, a removed key and an added key', async () => {
    saySwitch(bed.board, 'blue', [port], { 'requested-chassis': 'node-a', hostname: '"db"' });
    const { writer } = await bed.writer(bed.board);
    await bed.nbctl('lsp-set-options', port, 'requested-chassis=node-z', 'qos_max_rate=5');
    await bed.nbctl('lsp-set-addresses', port, 'unknown');
    await until(
      bed.client,
      ([only]) => only === `${port} hostname="db" requested-chassis=node-a 0a:58:0a:00:00:02 10.0.0.2`,
    );
    await writer.idle();
    expect(await bed.nbctl('get', 'Logical_Switch_Port', port, 'options')).toBe(
      '{hostname="\\"db\\"", requested-chassis=node-a}',
    );
  });

  test('a deleted port', async () => {
    saySwitch(bed.board, 'blue', [port]);
    const { operations } = await bed.writer(bed.board);
    const before = operations();
    await bed.nbctl('lsp-del', port);
    await until(bed.client, (names) => names.length === 1);
    expect(operations()).toBeGreaterThan(before);
  });

  test('a deleted switch with all its ports', async () => {
    const ports = Array.from({ length: 50 }, (_, i) => `pod/default/p${i}`);
    saySwitch(bed.board, 'blue', ports);
    await bed.writer(bed.board);
    await bed.nbctl('ls-del', 'blue');
    await until(bed.client, (names) => names.length === 50);
  });
});

test('a database that is lost while we run is written again, rows and UUIDs alike', async () => {
  saySwitch(bed.board, 'blue', [port], { 'requested-chassis': 'node-a' });
  await bed.writer(bed.board);
  const before = await bed.nbctl('get', 'Logical_Switch_Port', port, '_uuid');
  await bed.loseDatabase();
  await until(bed.client, (names) => names.length === 1);
  expect(await bed.nbctl('get', 'Logical_Switch_Port', port, '_uuid')).toBe(before);
  expect(await bed.nbctl('lsp-get-dhcpv4-options', port)).not.toBe('');
});

test('a row the database refuses is parked alone, and lands when it is mended', async () => {
  const ports = Array.from({ length: 20 }, (_, i) => `pod/default/p${i}`);
  saySwitch(bed.board, 'blue', ports);
  const poison = (name: string) =>
    row('Logical_Switch_Port', 'pod/default/poison', { name, external_ids: mark('poison') }, parent);
  const parent = { table: 'Logical_Switch', row: 'blue', column: 'ports' };
  bed.board.say('poison', poison('pod/default/p7'));
  const { events, writer } = await bed.writer(bed.board);
  const names = async () => (await bed.nbctl('--bare', '--columns=name', 'list', 'Logical_Switch_Port')).split(/\s+/);
  expect(new Set(await names()).size).toBe(20);
  const parked = events.find(({ kind }) => kind === 'parked');
  expect(parked).toMatchObject({ table: 'Logical_Switch_Port', error: { kind: 'constraintViolation' } });
  bed.board.say('poison', poison('pod/default/poison'));
  await writer.idle();
  expect(new Set(await names()).size).toBe(21);
});

test('what is said while a transaction is under way goes out together in the next one', async () => {
  saySwitch(bed.board, 'blue', []);
  const { events, writer } = await bed.writer(bed.board);
  for (let i = 0; i < 100; i += 1) sayPort(bed.board, 'blue', `pod/default/p${i}`);
  await new Promise((resolve) => setImmediate(resolve));
  for (let i = 100; i < 200; i += 1) sayPort(bed.board, 'blue', `pod/default/p${i}`);
  for (let i = 0; i < 200; i += 1) {
    bed.board.say('chassis', mapEntry('Logical_Switch_Port', `pod/default/p${i}`, 'options', 'requested-chassis', 'a'));
  }
  await writer.idle();
  expect(events.length).toBeLessThanOrEqual(4);
  expect(
    (await bed.nbctl('--bare', '--columns=name', 'find', 'Logical_Switch_Port', 'options:requested-chassis=a')).split(
      /\s+/,
    ),
  ).toHaveLength(200);
});

test('a child waits for its parent and comes with it', async () => {
  sayPort(bed.board, 'blue', port);
  const { operations, writer } = await bed.writer(bed.board);
  expect(operations()).toBe(0);
  saySwitch(bed.board, 'blue', []);
  await writer.idle();
  expect(await bed.nbctl('--bare', '--columns=name', 'list', 'Logical_Switch_Port')).toBe(port);
});
