import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { DepartedNodes } from '#controller/departed-nodes.ts';
import { Tables } from '#controller/features/tables.ts';
import { connect } from '#ovsdb/client.ts';
import { southboundBed } from './southbound-bed.ts';

const execute = promisify(execFile);

/** A real southbound database with these chassis, and nodes of the same names. */
async function bedOf(chassis: readonly string[], nodes: readonly string[]) {
  const stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'hawser-sb-'));
  stack.defer(() => rm(folder, { recursive: true }));
  const { remote } = stack.use(await southboundBed(folder));
  const sbctl = async (...args: string[]) => (await execute('ovn-sbctl', [`--db=${remote}`, ...args])).stdout;
  await sbctl('init');
  for (const [index, name] of chassis.entries()) {
    await sbctl('chassis-add', name, 'geneve', `192.0.2.${index}`, '--', 'create', 'Chassis_Private', `name=${name}`);
  }
  const tables = new Tables();
  for (const name of nodes) tables.nodes.put(name, { name, uid: name, ready: true, internalIps: [], annotations: {} });
  const southbound = stack.use(await connect({ remotes: [remote], leaderOnly: false }));
  const departed = new DepartedNodes({
    tables,
    southbound,
    sleep: async () => {},
    mayWrite: () => true,
    onOutcome: () => {},
  });
  const owned = stack.move();
  return {
    tables,
    departed,
    async chassis(): Promise<readonly string[]> {
      const names = (table: string) => sbctl('--bare', '--columns=name', 'list', table);
      const text = `${await names('Chassis')}${await names('Chassis_Private')}${await sbctl('--bare', '--columns=ip', 'list', 'Encap')}`;
      return text.split('\n').filter(Boolean).sort();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const rowsOf = (chassis: Readonly<Record<string, string>>) =>
  Object.entries(chassis)
    .flatMap(([name, ip]) => [name, name, ip])
    .sort();

test('the chassis of a node that is deleted is removed with all that is its own, and no other', async () => {
  await using bed = await bedOf(['node-a', 'node-b', 'elsewhere'], ['node-a', 'node-b']);
  bed.departed.start(['node/node-a', 'node/node-b', 'pod/default/web']);
  bed.tables.nodes.remove('node-b');
  await expect.poll(() => bed.chassis()).toEqual(rowsOf({ 'node-a': '192.0.2.0', elsewhere: '192.0.2.2' }));
});

test('so is that of a node that was deleted while there was no controller, told by its port', async () => {
  await using bed = await bedOf(['node-a', 'node-b', 'elsewhere'], ['node-a']);
  bed.departed.start(['node/node-a', 'node/node-b', 'pod/default/web']);
  await expect.poll(() => bed.chassis()).toEqual(rowsOf({ 'node-a': '192.0.2.0', elsewhere: '192.0.2.2' }));
});
