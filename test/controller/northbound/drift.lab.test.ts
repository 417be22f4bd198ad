import { exec } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mapEntry, row } from '#controller/engine/facts.ts';
import { rowUuid } from '#controller/northbound/row-uuid.ts';
import { mark, northboundBed, sayPort, saySwitch, until } from './northbound-bed.ts';

const shell = promisify(exec);

let bed: Awaited<ReturnType<typeof northboundBed>>;
beforeEach(async () => {
  bed = await northboundBed();
});
afterEach(async () => {
  await bed[Symbol.asyncDispose]();
});

const names = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `pod/default/p${from + i}`);

/** UUID → name, chassis and addresses of every port there is, and which are on the switch. */
async function content() {
  const list = async (table: string, columns: string) => {
    const text = await bed.nbctl('--format=json', '--data=bare', `--columns=${columns}`, 'list', table);
    const { data }: { readonly data: readonly (readonly string[])[] } = JSON.parse(text);
    return data.map((cells) => cells.join(' ')).sort();
  };
  return {
    ports: await list('Logical_Switch_Port', '_uuid,name,options,addresses'),
    switches: (await list('Logical_Switch', '_uuid,name,ports')).map((line) => line.split(' ').sort().join(' ')),
    dhcp: await list('DHCP_Options', '_uuid,cidr'),
  };
}

test('a database restored on line from an old backup is what it was before, rows and UUIDs, without a restart', async () => {
  const client = `unix:${join(bed.folder, 'nb.sock')} OVN_Northbound`;
  const backup = join(bed.folder, 'backup');
  saySwitch(bed.board, 'blue', names(0, 100), { 'requested-chassis': 'a' });
  const { writer } = await bed.writer(bed.board);
  await bed.nbctl('ls-add', 'theirs');
  await shell(`ovsdb-client backup ${client} > ${backup}`);
  for (const name of names(0, 50)) {
    const fact = bed.board.row('Logical_Switch_Port', name)?.fact;
    if (fact !== undefined) bed.board.unsay(name, fact);
  }
  for (const name of names(100, 150)) sayPort(bed.board, 'blue', name);
  bed.board.say('move', mapEntry('Logical_Switch_Port', 'pod/default/p60', 'options', 'requested-chassis', 'b', 1));
  await writer.idle();
  const before = await content();

  await shell(`ovsdb-client restore ${client} < ${backup}`);
  await until(bed.client, (rows) => rows.length === 100 && rows.some((line) => line.startsWith('pod/default/p149 ')));
  await writer.idle();
  expect({ ...(await content()), switches: [] }).toEqual({ ...before, switches: [] });
  const blue = (switches: readonly string[]) => switches.filter((line) => line.includes('blue'));
  expect(blue((await content()).switches)).toEqual(blue(before.switches));
  expect(await bed.nbctl('--bare', '--columns=name', 'find', 'Logical_Switch', 'name=theirs')).toBe('theirs');
});

test('a database emptied on line is filled again, rows and UUIDs alike', async () => {
  saySwitch(bed.board, 'blue', names(0, 100), { 'requested-chassis': 'a' });
  const group = row('Port_Group', 'web', { name: 'web', external_ids: mark('web') });
  bed.board.say('web', group);
  const { writer } = await bed.writer(bed.board);
  const before = await content();
  await bed.nbctl(
    '--all',
    'destroy',
    'Logical_Switch',
    '--',
    '--all',
    'destroy',
    'DHCP_Options',
    '--',
    'pg-del',
    'web',
  );
  await until(bed.client, (rows) => rows.length === 100);
  await writer.idle();
  expect(await content()).toEqual(before);
  expect(await bed.nbctl('get', 'Port_Group', 'web', '_uuid')).toBe(rowUuid('Port_Group', 'web'));
});

test('every edit of ours by somebody else is undone within a second, and counted', async () => {
  saySwitch(bed.board, 'blue', names(0, 10), { 'requested-chassis': 'a' });
  const { writer, events } = await bed.writer(bed.board);
  const before = await content();
  const milliseconds: number[] = [];
  const edits = [
    ['lsp-set-options', 'pod/default/p0', 'requested-chassis=z'],
    ['lsp-set-addresses', 'pod/default/p1', 'unknown'],
    ['clear', 'Logical_Switch_Port', 'pod/default/p2', 'dhcpv4_options'],
    ['lsp-del', 'pod/default/p3'],
    ['set', 'Logical_Switch', 'blue', 'name=red'],
  ];
  for (const edit of edits) {
    const repaired = () => events.reduce((sum, event) => sum + (event.kind === 'committed' ? event.repaired : 0), 0);
    const earlier = repaired();
    await bed.nbctl(...edit);
    const edited = performance.now();
    while (repaired() === earlier) await new Promise(setImmediate);
    milliseconds.push(performance.now() - edited);
    expect(repaired() - earlier).toBe(1);
  }
  await writer.idle();
  expect(await content()).toEqual(before);
  expect(Math.max(...milliseconds)).toBeLessThan(1000);
});
