import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '#ovsdb/cli/run.ts';
import { type RealServer, ServerRoom } from '../real-server.ts';
import { untypedSchema } from '../test-schema.ts';

let room: ServerRoom;
let server: RealServer;
beforeAll(async () => {
  room = await ServerRoom.open();
  server = await room.standalone(await room.writeSchema(untypedSchema));
});
afterAll(async () => {
  await room?.[Symbol.asyncDispose]();
});

/** Runs a command line: its exit code and what it printed. `onLine` may stop it. */
async function cli(argv: readonly string[], onLine: (line: string, stop: () => void) => void = () => {}) {
  const abort = new AbortController();
  const out: unknown[] = [];
  const err: string[] = [];
  const code = await run(argv, {
    out: (line) => {
      out.push(JSON.parse(line));
      onLine(line, () => abort.abort());
    },
    err: (line) => err.push(line),
    signal: abort.signal,
  });
  return { code, out, err };
}
const insert = (name: string, more: object = {}) =>
  JSON.stringify([{ op: 'insert', table: 'Thing', row: { name, ...more } }]);

test('transact commits, and says what the server refuses', async () => {
  expect(
    await cli(['transact', server.remote, 'Test', insert('a', { options: { k: 'v' }, tags: ['x'] })]),
  ).toMatchObject({
    code: 0,
    out: [{ status: 'committed', results: [{ uuid: expect.any(String) }] }],
  });
  expect(await cli(['transact', server.remote, 'Test', insert('a')])).toMatchObject({
    code: 1,
    out: [{ status: 'refused', error: { kind: 'constraintViolation' } }],
  });
});

test('dump prints rows as JSON, of the tables, columns and conditions asked for', async () => {
  const everything = await cli(['dump', server.remote, 'Test']);
  expect(everything.out).toMatchObject([
    { table: 'Thing', row: { name: 'a', options: { k: 'v' }, tags: ['x'], number: 0 } },
  ]);
  const some = await cli(['dump', server.remote, 'Test', 'Thing', 'name', '--where', '[["name","==","b"]]']);
  expect(some).toMatchObject({ code: 0, out: [] });
});

test('monitor prints the rows and then each change, until it is stopped', async () => {
  const changes = await cli(['monitor', server.remote, 'Test', 'Thing', 'name'], (line, stop) => {
    if (line.includes('"later"')) stop();
    else void cli(['transact', server.remote, 'Test', insert('later')]);
  });
  expect(changes).toMatchObject({
    code: 0,
    out: [
      { change: 'insert', row: { name: 'a' } },
      { change: 'insert', row: { name: 'later' } },
    ],
  });
});

test.for<[string, string[], RegExp]>([
  ['nothing at all', [], /^usage:/],
  ['an unknown command', ['poke', 'unix:/x', 'Test'], /^usage:/],
  ['an unknown option', ['dump', 'unix:/x', 'Test', '--nope'], /--nope/],
  ['operations that are no JSON', ['transact', 'unix:/x', 'Test', '{'], /OPERATIONS is not JSON/],
  ['what is no list', ['transact', 'unix:/x', 'Test', '{}'], /OPERATIONS is not a list of operations/],
  [
    'an operation that is none',
    ['transact', 'unix:/x', 'Test', '[{"op":"poke"}]'],
    /operation 0 has no "op" out of insert/,
  ],
  [
    'an operation with something missing',
    ['transact', 'unix:/x', 'Test', '[{"op":"comment","comment":"c"},{"op":"select","table":"Thing"}]'],
    /operation 1 \(select\) lacks "where"/,
  ],
  [
    'an operation with something misspelt',
    ['transact', 'unix:/x', 'Test', '[{"op":"mutate","table":"Thing","where":true,"mutations":["x"]}]'],
    /operation 0 \(mutate\) has an unfit "mutations"/,
  ],
  ['ssl: without certificates', ['dump', 'ssl:127.0.0.1:1', 'Test', '--ca', '/x'], /all of --ca, --cert and --key/],
  [
    'a certificate that is not there',
    ['dump', 'ssl:127.0.0.1:1', 'Test', '--ca', '/nonexistent', '--cert', '/dev/null', '--key', '/dev/null'],
    /cannot read \/nonexistent: ENOENT/,
  ],
  ['a remote that is none', ['dump', 'nowhere', 'Test'], /"nowhere" is not a remote/],
  [
    'a server that is not there',
    ['dump', 'unix:/nonexistent', 'Test', '--timeout', '0.2'],
    /no suitable server\n {2}unix:\/nonexistent: .*ENOENT/,
  ],
])('%s is answered by a sentence and exit code 1', async ([, argv, sentence]) => {
  const { code, err } = await cli(argv);
  expect(code).toBe(1);
  expect(err.join('\n')).toMatch(sentence);
});

test('a table the database has not is named', async () => {
  expect((await cli(['dump', server.remote, 'Test', 'Nope'])).err).toEqual(['no table "Nope" in Test']);
});

test('a database the server has not is named, as is a condition the server does not take', async () => {
  const nowhere = await cli(['dump', server.remote, 'Nowhere', '--timeout', '0.2']);
  expect(nowhere).toEqual({
    code: 1,
    out: [],
    err: [`no suitable server\n  ${server.remote}: has no database Nowhere`],
  });
  const refused = await cli(['dump', server.remote, 'Test', 'Thing', 'name', '--where', '[["name","~","x"]]']);
  expect(refused).toMatchObject({ code: 1, err: [expect.stringMatching(/was refused: unknown function/)] });
});

test('--help is no mistake', async () => {
  const lines: string[] = [];
  const { signal } = new AbortController();
  const code = await run(['dump', '--help'], { out: (line) => lines.push(line), err: () => {}, signal });
  expect([code, lines.join('\n')]).toEqual([0, expect.stringMatching(/^usage: npm run ovsdb/)]);
});
