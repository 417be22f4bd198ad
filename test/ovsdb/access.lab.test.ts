import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '#ovsdb/client.ts';
import { ovnSouthbound } from '#ovsdb/schemas/ovn-southbound.ts';
import { authority, certificate } from './certificates.ts';
import { ServerRoom } from './real-server.ts';

// What a remote's own row in the database allows its clients (ovsdb-server(7), "Role-Based Access Control").

let room: ServerRoom;
beforeAll(async () => {
  room = await ServerRoom.open();
});
afterAll(async () => {
  await room?.[Symbol.asyncDispose]();
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

test('a role allows what it names: the rest is refused with permissionError, at a read-only remote everything with notAllowed', async () => {
  const ca = await authority(room, 'ca');
  const [servers, chassis] = [await certificate(room, ca, 'server'), await certificate(room, ca, 'chassis-1')];
  const server = await room.standalone(
    '/usr/share/ovn/ovn-sb.ovsschema',
    '--remote=db:OVN_Southbound,SB_Global,connections',
    `--private-key=${servers.keyPath}`,
    `--certificate=${servers.certPath}`,
    `--ca-cert=${ca.certPath}`,
  );
  const [withRole, readOnly] = [await freePort(), await freePort()];
  await using admin = await connect({ remotes: [server.remote] });
  const outcome = await admin.transact(ovnSouthbound, [
    {
      op: 'insert',
      table: 'RBAC_Permission',
      uuidName: 'chassis',
      row: { table: 'Chassis', authorization: ['name'], insert_delete: true, update: ['hostname'] },
    },
    {
      op: 'insert',
      table: 'RBAC_Permission',
      uuidName: 'encap',
      row: { table: 'Encap', authorization: ['chassis_name'], insert_delete: true },
    },
    {
      op: 'insert',
      table: 'RBAC_Role',
      row: { name: 'ovn-controller', permissions: { Chassis: { named: 'chassis' }, Encap: { named: 'encap' } } },
    },
    {
      op: 'insert',
      table: 'Connection',
      uuidName: 'tls',
      row: { target: `pssl:${withRole}:127.0.0.1`, role: 'ovn-controller' },
    },
    {
      op: 'insert',
      table: 'Connection',
      uuidName: 'plain',
      row: { target: `ptcp:${readOnly}:127.0.0.1`, read_only: true },
    },
    { op: 'insert', table: 'SB_Global', row: { connections: [{ named: 'tls' }, { named: 'plain' }] } },
  ]);
  expect(outcome.status).toBe('committed');

  const [caText, cert, key] = await Promise.all(
    [ca.certPath, chassis.certPath, chassis.keyPath].map((path) => readFile(path)),
  );
  if (!caText || !cert || !key) throw new Error('no certificates');
  await using limited = await connect({
    remotes: [`ssl:127.0.0.1:${withRole}`],
    tls: { ca: caText, cert, key },
    backoff: { firstMs: 20, longestMs: 100 },
  });
  const insert = (name: string) =>
    limited.transact(ovnSouthbound, [
      { op: 'insert', table: 'Chassis', row: { name, encaps: [{ named: 'e' }] } },
      {
        op: 'insert',
        table: 'Encap',
        uuidName: 'e',
        row: { type: 'geneve', ip: '192.0.2.1', chassis_name: 'chassis-1' },
      },
    ]);
  // The certificate says who he is; another's row he may not write, nor a table his role does not name.
  expect(await insert('chassis-2')).toMatchObject({ status: 'refused', error: { kind: 'permissionError' } });
  expect(await insert('chassis-1')).toMatchObject({ status: 'committed' });
  const own = { op: 'insert', table: 'SB_Global', row: {} } as const;
  expect(await limited.transact(ovnSouthbound, [own])).toMatchObject({
    status: 'refused',
    error: { kind: 'permissionError', operationIndex: 0 },
  });
  await using replica = await limited.replicate(ovnSouthbound, { SB_Global: { columns: ['nb_cfg'] } });
  expect(replica.tables.SB_Global.rows.size).toBe(1);

  await using reader = await connect({ remotes: [`tcp:127.0.0.1:${readOnly}`] });
  expect(await reader.transact(ovnSouthbound, [own])).toMatchObject({
    status: 'refused',
    error: { kind: 'notAllowed', operationIndex: 0 },
  });
  const read = await reader.transact(ovnSouthbound, [{ op: 'select', table: 'SB_Global', where: true }]);
  expect(read.status).toBe('committed');
});
