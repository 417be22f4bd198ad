import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OvsdbError } from '#ovsdb/errors.ts';
import type { Piece } from '#ovsdb/wire/piece.ts';
import { Splitter } from '#ovsdb/wire/splitter.ts';

function pieces(chunks: readonly (string | Buffer)[], wholeBytes = 65_536, wantsPieces = true): Piece[] {
  const splitter = new Splitter({ wantsPieces: () => wantsPieces, wholeBytes });
  const found: Piece[] = [];
  for (const chunk of chunks) {
    splitter.push(Buffer.from(chunk));
    for (let piece = splitter.next(); piece; piece = splitter.next()) found.push(piece);
  }
  return found;
}

const texts = (chunks: readonly (string | Buffer)[]) => pieces(chunks).map(({ text }) => text);

/** Every way to cut in two, and byte by byte. */
function* cuttings(bytes: Buffer): Iterable<Buffer[]> {
  for (let at = 0; at <= bytes.length; at++) yield [bytes.subarray(0, at), bytes.subarray(at)];
  yield Array.from(bytes, (byte) => Buffer.of(byte));
}

// As received from ovsdb-server 3.1.0.
const captured = {
  reply: '{"id":2,"result":[{"uuid":["uuid","7c2c2a5e-5bb1-4a33-b6fb-d2a4f8a4b0de"]},{}],"error":null}',
  echo: '{"id":"echo","method":"echo","params":[]}',
  unknownMethod: '{"id":5,"error":"unknown method"}',
  update3:
    '{"id":null,"method":"update3","params":["replica0/1","00000000-0000-0000-0000-000000000000",{"Thing":{"0c9e1c53-1fbb-4f0d-9f63-6b5d1f8a1b60":{"modify":{"tags":"two"}}}}]}',
  dump: '{"id":1,"result":[false,"00000000-0000-0000-0000-000000000000",{"Thing":{"0c9e1c53-1fbb-4f0d-9f63-6b5d1f8a1b60":{"initial":{"name":"a \\"quoted\\" {brace","tags":["set",["x","y"]]}},"2d2c6f0a-77a4-4a5f-8e0b-1c5f6a1d9e11":{"initial":{"name":"ü€😀\\\\"}}},"Other":{}}],"error":null}',
};

describe('messages have no delimiter', () => {
  test('objects back to back in one chunk are told apart', () => {
    expect(texts([captured.reply + captured.echo + captured.unknownMethod])).toEqual([
      captured.reply,
      captured.echo,
      captured.unknownMethod,
    ]);
  });

  test('white space between them is nothing', () => {
    expect(texts([` \r\n\t${captured.echo}\n `, captured.echo])).toEqual([captured.echo, captured.echo]);
  });

  test('any chunking gives the same messages', () => {
    const stream = Buffer.from(captured.reply + captured.update3 + captured.dump + captured.echo);
    for (const chunks of cuttings(stream)) {
      expect(texts(chunks)).toEqual([captured.reply, captured.update3, captured.dump, captured.echo]);
    }
  });

  test('a string that ends in a backslash does not break the framing', () => {
    const tricky = ['{"a":"\\\\"}', '{"a":"\\\\\\""}', '{"a":"}\\\\{"}'];
    for (const chunks of cuttings(Buffer.from(tricky.join('')))) expect(texts(chunks)).toEqual(tricky);
  });

  test('a character of several bytes survives being cut', () => {
    const message = '{"name":"ü€😀\u2028\ufeff"}';
    for (const chunks of cuttings(Buffer.from(message))) expect(texts(chunks)).toEqual([message]);
  });

  test('what is nested deeper than ovsdb-server itself reads is refused, before anything runs out of stack', () => {
    const nested = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
    expect(texts([nested(1_000)])).toEqual([nested(1_000)]);
    expect(() => pieces([nested(1_001)])).toThrow(OvsdbError);
  });

  test('what is no object is refused', () => {
    for (const garbage of ['[', 'x', '}', '"', '\0']) expect(() => pieces([garbage])).toThrow(OvsdbError);
  });
});

describe('a long message that carries rows is cut into them', () => {
  const rows = [
    ['Thing', '0c9e1c53-1fbb-4f0d-9f63-6b5d1f8a1b60'],
    ['Thing', '2d2c6f0a-77a4-4a5f-8e0b-1c5f6a1d9e11'],
  ];

  test('wherever it is chunked, rows come one by one and the message last, without them', () => {
    const whole = JSON.parse(captured.dump).result[2];
    for (const [before, after] of cuttings(Buffer.from(captured.dump))) {
      // A message is looked into once it is longer than `wholeBytes` and not yet complete.
      if (!before || !after || before.length < 88 || after.length === 0) continue;
      const found = pieces([before, after, captured.echo], 87);
      const [first, second, message, echo] = found;
      expect([first, second].map((row) => row?.kind === 'row' && [row.table, row.uuid])).toEqual(rows);
      expect([first, second].map((row) => JSON.parse(row?.text ?? ''))).toEqual(Object.values(whole.Thing));
      expect(JSON.parse(message?.text ?? '')).toEqual({
        id: 1,
        result: [false, '00000000-0000-0000-0000-000000000000', { Thing: {}, Other: {} }],
        error: null,
      });
      expect(echo?.text).toBe(captured.echo);
    }
  });

  test('the reply to monitor and monitor_cond, and an update, are cut too', () => {
    const table = '{"Thing":{"u1":{"new":{"n":1}},"u2":{"new":{"n":[2,[3]]}}}}';
    for (const message of [
      `{"id":7,"result":${table},"error":null}`,
      `{"method":"update2","id":null,"params":["m",${table}]}`,
      `{"id":null,"method":"update3","params":["m","00000000-0000-0000-0000-000000000000",${table}]}`,
    ]) {
      const found = pieces([message.slice(0, -12), message.slice(-12)], 20);
      expect(found.map(({ kind, text }) => (kind === 'row' ? text : kind))).toEqual([
        '{"new":{"n":1}}',
        '{"new":{"n":[2,[3]]}}',
        'message',
      ]);
      expect(found.at(-1)?.text).toBe(message.replace(table, '{"Thing":{}}'));
    }
  });

  test('the results of a transaction come one by one, and the rows of a select before its result', () => {
    const results =
      '{"id":7,"result":[{"uuid":["uuid","u1"]},{"rows":[{"name":"{\\"]"},{"name":"ü€😀"}]},{"rows":[]},{"count":2},{"error":"aborted"},null],"error":null}';
    const expected = [
      'result 0 {"uuid":["uuid","u1"]}',
      'selected row 1 {"name":"{\\"]"}',
      'selected row 1 {"name":"ü€😀"}',
      'result 1 {"rows":[]}',
      'result 2 {"rows":[]}',
      'result 3 {"count":2}',
      'result 4 {"error":"aborted"}',
      'result 5 null',
      'message {"id":7,"result":[],"error":null}',
    ];
    for (const [before, after] of cuttings(Buffer.from(results))) {
      if (!before || !after || before.length < 24 || after.length === 0) continue;
      const found = pieces([before, ...Array.from(after, (byte) => Buffer.of(byte))], 23);
      expect(
        found.map((piece) =>
          'operationIndex' in piece
            ? `${piece.kind} ${piece.operationIndex} ${piece.text}`
            : `${piece.kind} ${piece.text}`,
        ),
      ).toEqual(expected);
    }
  });

  test('a reply whose id comes last, as from servers built for newer processors, is cut all the same', () => {
    const tables = '{"Thing":{"u1":{"initial":{}},"u2":{"initial":{}}}}';
    const late = `{"error":null,"result":[false,"0-0",${tables}],"id":7}`;
    expect(pieces([late.slice(0, 60), late.slice(60)], 20)).toMatchObject([
      { kind: 'row', uuid: 'u1', head: { id: undefined, shape: 'tables' } },
      { kind: 'row', uuid: 'u2' },
      { kind: 'message', text: late.replace(tables, '{"Thing":{}}') },
    ]);
  });

  test('an object that may be anything, until the id says what it answers, stays whole', () => {
    const late = '{"error":null,"result":{"Thing":{"u":{"new":{}}}},"id":7}';
    expect(pieces([late.slice(0, 50), late.slice(50)], 20)).toMatchObject([{ kind: 'message', text: late }]);
  });

  test('it stays whole if nobody wants its rows', () => {
    const found = pieces([captured.dump.slice(0, 150), captured.dump.slice(150)], 100, false);
    expect(found).toMatchObject([{ kind: 'message', text: captured.dump }]);
  });

  test('a text of n bytes in chunks is copied a bounded number of times', () => {
    const long = Buffer.from(`{"id":1,"result":"${'x'.repeat(8_000_000)}","error":null}`);
    const splitter = new Splitter({ wantsPieces: () => false });
    for (let at = 0; at < long.length; at += 4_096) {
      splitter.push(long.subarray(at, at + 4_096));
      const piece = splitter.next();
      if (piece) expect([at + 4_096 >= long.length, piece.text.length]).toEqual([true, long.length]);
    }
    expect(splitter.next()).toBeUndefined();
  });
});

test('random messages in random chunks come out as they went in', { timeout: 30_000 }, () => {
  const message = fc
    .dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }))
    .map((value) => JSON.stringify(value));
  fc.assert(
    fc.property(fc.array(message, { maxLength: 5 }), fc.array(fc.nat(40), { minLength: 1 }), (messages, sizes) => {
      const stream = Buffer.from(messages.join(''));
      const chunks: Buffer[] = [];
      for (let at = 0, i = 0; at < stream.length; i++) {
        const size = 1 + (sizes[i % sizes.length] ?? 0);
        chunks.push(stream.subarray(at, at + size));
        at += size;
      }
      expect(texts(chunks)).toEqual(messages.map((text) => Buffer.from(text).toString()));
    }),
    { numRuns: 300 },
  );
});
