import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { QmpClient, QmpClosed, QmpError } from '#test/lab/qemu/qmp.ts';

// The other end is played here: refusals, cut messages and sudden ends cannot be had from QEMU on demand.
let folder: string;
let qemu: Socket;
let client: QmpClient;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hawser-qmp-'));
  const server = createServer().listen(join(folder, 'qmp'));
  const socket = connect(join(folder, 'qmp'));
  [qemu] = await once(server, 'connection');
  server.close();
  qemu.setEncoding('utf8');
  const opened = QmpClient.open(socket);
  qemu.write('{"QMP": {"version": {}, "capabilities": ["oob"]}}\r\n');
  expect(await received()).toEqual({ execute: 'qmp_capabilities', id: 0 });
  qemu.write('{"return": {}, "id": 0}\r\n');
  client = await opened;
});

afterEach(async () => {
  qemu.destroy();
  client.close();
  await rm(folder, { recursive: true });
});

test('answers find their commands by id, in whatever order and pieces they come', async () => {
  const first = client.execute('query-status');
  const second = client.execute('query-migrate', { some: 'argument' });
  expect((await receivedLines(2)).map((line): unknown => JSON.parse(line))).toEqual([
    { execute: 'query-status', id: 1 },
    { execute: 'query-migrate', arguments: { some: 'argument' }, id: 2 },
  ]);
  qemu.write('{"return": {"status": "completed"}, "id": 2}\r\n{"return": {"runn');
  expect(await second).toEqual({ status: 'completed' });
  qemu.write('ing": true}, "id": 1}\r\n');
  expect(await first).toEqual({ running: true });
});

test("a refusal is an error with the command and QEMU's words", async () => {
  const refused = client.execute('cont');
  await received();
  qemu.write('{"error": {"class": "GenericError", "desc": "no such state"}, "id": 1}\r\n');
  await expect(refused).rejects.toThrow(new QmpError('cont', 'GenericError', 'no such state'));
});

test('every reader gets every event from when it began, and the end', async () => {
  const early = client.events();
  qemu.write('{"event": "STOP", "timestamp": {"seconds": 7, "microseconds": 250000}}\r\n');
  expect(await early.next()).toEqual({ done: false, value: { name: 'STOP', data: {}, atMs: 7250 } });
  const late = client.events();
  qemu.write(
    '{"event": "MIGRATION", "data": {"status": "active"}, "timestamp": {"seconds": 8, "microseconds": 0}}\r\n',
  );
  const event = { name: 'MIGRATION', data: { status: 'active' }, atMs: 8000 };
  expect(await early.next()).toEqual({ done: false, value: event });
  expect(await late.next()).toEqual({ done: false, value: event });
  const waiting = early.next();
  qemu.destroy();
  expect(await waiting).toEqual({ done: true, value: undefined });
  expect((await late.next()).done).toBe(true);
});

test('commands under way and later ones fail when QEMU goes', async () => {
  const underWay = client.execute('query-status');
  qemu.destroy();
  await expect(underWay).rejects.toBeInstanceOf(QmpClosed);
  await expect(client.execute('query-status')).rejects.toBeInstanceOf(QmpClosed);
});

async function received(): Promise<unknown> {
  const [line] = await receivedLines(1);
  return JSON.parse(line ?? '');
}

async function receivedLines(count: number): Promise<string[]> {
  let text = '';
  while (text.split('\n').length <= count) {
    const [chunk] = await once(qemu, 'data');
    text += String(chunk);
  }
  return text.split('\n').slice(0, count);
}
