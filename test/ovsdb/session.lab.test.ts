import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type Server, Socket } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '#ovsdb/client.ts';
import type { TlsOptions } from '#ovsdb/connection/socket-transport.ts';
import { OvsdbError } from '#ovsdb/errors.ts';
import { schemaJson } from '#ovsdb/fake-server/schema-json.ts';
import type { Status } from '#ovsdb/status.ts';
import { authority, certificate } from './certificates.ts';
import { nextStatus } from './fake-client.ts';
import { type RealServer, ServerRoom } from './real-server.ts';
import { testSchema, untypedSchema } from './test-schema.ts';

const run = promisify(execFile);
const quick = { backoff: { firstMs: 20, longestMs: 100 } } as const;

let room: ServerRoom;
let server: RealServer;
let schemaPath: string;

beforeAll(async () => {
  room = await ServerRoom.open();
  schemaPath = await room.writeSchema(untypedSchema);
  server = await room.standalone(schemaPath);
});

afterAll(async () => {
  await room?.[Symbol.asyncDispose]();
});

/** Adds a remote with a port the kernel chooses, and gives it. */
async function listen(kind: 'ptcp' | 'pssl', host: string): Promise<string> {
  const probe = createServer().listen(0, host.replace(/[[\]]/g, ''));
  await new Promise((resolve) => probe.once('listening', resolve));
  const address = probe.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  await new Promise((resolve) => probe.close(resolve));
  await server.appctl('ovsdb-server/add-remote', `${kind}:${port}:${host}`);
  return `${kind.slice(1)}:${host}:${port}`;
}

async function roundTrip(options: Parameters<typeof connect>[0]): Promise<string | undefined> {
  await using client = await connect(options);
  await using replica = await client.replicate(testSchema, { Thing: { columns: ['name'] } });
  const name = randomUUID();
  const outcome = await client.transact(testSchema, [{ op: 'insert', table: 'Thing', row: { name } }]);
  return outcome.status === 'committed' && replica.tables.Thing.get(outcome.results[0].uuid)?.name === name
    ? 'ok'
    : JSON.stringify(outcome);
}

describe('transports', () => {
  test('unix, TCP over IPv4 and TCP over IPv6', async () => {
    const remotes = [server.remote, await listen('ptcp', '127.0.0.1'), await listen('ptcp', '[::1]')];
    for (const remote of remotes) expect(await roundTrip({ remotes: [remote] })).toBe('ok');
  });

  test('TLS: a client certificate the server knows is accepted; neither side talks to one of another authority', async () => {
    const [ca, otherCa] = [await authority(room, 'ca'), await authority(room, 'other')];
    const servers = await certificate(room, ca, 'server');
    const [clients, strangers] = [await certificate(room, ca, 'client'), await certificate(room, otherCa, 'stranger')];
    const secure = await room.standalone(
      await room.writeSchema({ ...untypedSchema, name: 'Test' }),
      `--private-key=${servers.keyPath}`,
      `--certificate=${servers.certPath}`,
      `--ca-cert=${ca.certPath}`,
    );
    const before = server;
    server = secure;
    const remote = await listen('pssl', '127.0.0.1');
    server = before;
    const tlsOf = async ({ certPath, keyPath }: typeof clients, authorityPath: string) => {
      const [ca, cert, key] = await Promise.all([authorityPath, certPath, keyPath].map((path) => readFile(path)));
      if (!ca || !cert || !key) throw new Error('no certificates');
      return { ca, cert, key };
    };
    expect(await roundTrip({ remotes: [remote], tls: await tlsOf(clients, ca.certPath) })).toBe('ok');

    /** What ends the first connection with `tls`, which never comes up. */
    const refusal = async (tls: TlsOptions) => {
      const statuses: Status[] = [];
      const abort = new AbortController();
      const never = connect({
        remotes: [remote],
        tls,
        ...quick,
        signal: abort.signal,
        onStatus: (status) => {
          statuses.push(status);
          if (status.kind === 'disconnected') abort.abort(new Error('enough'));
        },
      });
      await expect(never).rejects.toThrow('enough');
      expect(statuses.map(({ kind }) => kind)).toEqual(['connecting', 'disconnected']);
      return statuses[1];
    };
    // The server is a stranger to us; we are a stranger to the server, which ends the connection after the handshake.
    expect(await refusal(await tlsOf(clients, otherCa.certPath))).toMatchObject({
      cause: { code: expect.stringMatching(/CERT|SELF_SIGNED|VERIFY/) },
    });
    expect(await refusal(await tlsOf(strangers, ca.certPath))).toMatchObject({
      cause: { code: expect.stringMatching(/ALERT|ECONNRESET/) },
    });
  });

  test('an ssl: remote without certificates, no remote and a misspelt remote are refused in a sentence', async () => {
    for (const remotes of [['ssl:127.0.0.1:1'], [], ['tcp//x']])
      await expect(connect({ remotes })).rejects.toThrow(OvsdbError);
  });
});

describe('liveness', () => {
  test("the server's five-second probes are answered, so an idle connection stays", { timeout: 30_000 }, async () => {
    const remote = await listen('ptcp', '127.0.0.1');
    const statuses: Status[] = [];
    // Without probes of our own, so that all traffic is the server's.
    await using client = await connect({ remotes: [remote], probeMs: 0, onStatus: (status) => statuses.push(status) });
    await using idle = await client.replicate(testSchema, { Thing: { columns: ['name'] } });
    // The server probes after 5 s and gives up after another 5.
    await new Promise((resolve) => setTimeout(resolve, 11_000));
    await idle.barrier();
    expect(statuses.filter(({ kind }) => kind === 'disconnected')).toEqual([]);
  });

  test('a server that falls silent is given up by its timestamp, a lock there with it, and the next one is used', async () => {
    const frozen = await room.standalone(schemaPath);
    const sockets: Socket[] = [];
    const proxy: Server = createServer((near) => {
      const far = new Socket().connect(frozen.remote.slice('unix:'.length));
      sockets.push(near, far);
      near
        .on('error', () => {})
        .pipe(far.on('error', () => {}))
        .pipe(near);
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => proxy.once('listening', resolve));
    const address = proxy.address();
    const remote = `tcp:127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
    await using client = await connect({ remotes: [remote, server.remote], probeMs: 200, ...quick });
    const lost = nextStatus(client, ({ kind }) => kind === 'disconnected');
    const lock = client.lock('leader');
    await lock.acquired;
    const held = lock.lost;
    frozen.freeze();
    expect(await lost).toMatchObject({ cause: { message: expect.stringMatching(/no sign of life for \d+ ms/) } });
    expect(held.aborted).toBe(true);
    await client.connected();
    expect((await client.transact(testSchema, [{ op: 'comment', comment: 'still here' }])).status).toBe('committed');
    frozen.resume();
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
});

describe('schema conversion on line', () => {
  test('a replica and the connection live through it; new columns appear and removed ones read as defaults', async () => {
    const live = await room.standalone(schemaPath);
    await using client = await connect({ remotes: [live.remote] });
    await using replica = await client.replicate(testSchema, { Thing: { columns: ['name', 'maybe'] } });
    const outcome = await client.transact(testSchema, [
      { op: 'insert', table: 'Thing', row: { name: 'a', maybe: 'b' } },
    ]);
    if (outcome.status !== 'committed') throw new Error('not committed');
    const { uuid } = outcome.results[0];
    const { maybe: _gone, ...columns } = untypedSchema.tables.Thing?.columns ?? {};
    const Thing = {
      isRoot: true,
      indexes: [],
      columns: { ...columns, later: { key: { type: 'string' }, min: 1, max: 1 } },
    } as const;
    const converted = { ...untypedSchema, version: '2.0.0', tables: { Thing } } as const;
    const path = await room.writeSchema(converted);
    const statuses: string[] = [];
    client.onStatus(({ kind }) => statuses.push(kind));
    const synced = nextStatus(client, ({ kind }) => kind === 'synced');
    await run('ovsdb-client', ['convert', live.remote, path]);
    expect(await synced).toMatchObject({ how: 'resync' });
    expect(statuses).toContain('monitorCanceled');
    expect(statuses).not.toContain('disconnected');
    expect(replica.tables.Thing.get(uuid)).toMatchObject({ name: 'a', maybe: undefined });
    expect([replica.has('Thing', 'maybe'), replica.has('Thing', 'later')]).toEqual([false, true]);
    expect(schemaJson(await client.serverSchema('Test'))).toMatchObject({ version: '2.0.0' });
  });
});

describe('clean close', () => {
  test('closing ends streams, rejects what waits, and leaves nothing running', async () => {
    const client = await connect({ remotes: [server.remote] });
    const replica = await client.replicate(testSchema, { Thing: { columns: ['name'] } });
    const stream = replica.changes();
    const waiting = client.transact(testSchema, [
      {
        op: 'wait',
        table: 'Thing',
        where: [['name', '==', 'never']],
        columns: ['name'],
        until: '==',
        rows: [{ name: 'never' }],
        timeoutMs: 60_000,
      },
    ]);
    const ended = stream.next();
    await client.close();
    expect(await ended).toEqual({ value: undefined, done: true });
    expect(await waiting).toMatchObject({ status: 'outcomeUnknown' });
    await expect(client.transact(testSchema, [])).rejects.toThrow('closed');
    expect(() => replica.changes()).toThrow('closed');
  });
});
