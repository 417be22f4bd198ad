import { expect, test } from 'vitest';
import { OvsdbError } from '#ovsdb/errors.ts';
import { RowShape } from '#ovsdb/replica/row-shape.ts';
import { takeRow } from '#ovsdb/replica/row-update.ts';
import { Snapshot } from '#ovsdb/replica/snapshot.ts';
import { TableContent } from '#ovsdb/replica/table-content.ts';
import { OutcomeReader } from '#ovsdb/transaction/outcome-reader.ts';
import { InexactInteger } from '#ovsdb/value/decode.ts';
import { Splitter } from '#ovsdb/wire/splitter.ts';
import { allColumns, testSchema } from '../test-schema.ts';

// Mutated captures, in their millions: cheaper than generated JSON, and closer to what a broken server would send.
// FUZZ_INPUTS=50000000 npm test -- test/ovsdb/wire/fuzz.test.ts runs for longer.
const inputs = Number(process.env.FUZZ_INPUTS ?? 1_000_000);

const seeds = [
  '{"id":2,"result":[{"uuid":["uuid","7c2c2a5e-5bb1-4a33-b6fb-d2a4f8a4b0de"]},{}],"error":null}',
  '{"id":null,"method":"update3","params":["r/1","0-0",{"Thing":{"0c9e":{"modify":{"tags":"two"}}}}]}',
  '{"id":1,"result":[false,"0-0",{"Thing":{"u1":{"initial":{"name":"\\"{\\\\","tags":["set",["x","y"]]}},"u2":{"initial":{"options":["map",[["k","v"]]]}}}}],"error":null}',
  '{"id":4,"error":{"error":"constraint violation","details":"€"},"result":[{"rows":[{"number":9007199254740993}]}]}',
].map((text) => Buffer.from(text));
const rowSeeds = [
  '{"initial":{"name":"a","number":7,"ratio":1.5,"on":true,"maybe":"x","tags":["set",["x","y"]],"numbers":["set",[1,9007199254740993]]}}',
  '{"insert":{"options":["map",[["k","v"]]],"counters":["map",[["c",1]]],"parts":["uuid","0c9e1c53-1fbb-4f0d-9f63-6b5d1f8a1b60"]}}',
].map((text) => Buffer.from(text));
const interesting = Buffer.from('{}[]",:\\0n \u00ff');

/** xorshift32: the same inputs in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

function mutated(seed: Buffer, next: () => number): Buffer {
  const bytes = Buffer.from(seed);
  for (let edits = next() % 4; edits > 0; edits--) {
    const at = next() % bytes.length;
    bytes[at] = next() % 3 === 0 ? next() & 0xff : (interesting[next() % interesting.length] ?? 0);
  }
  return next() % 4 === 0 ? bytes.subarray(0, next() % bytes.length) : bytes;
}

/** Runs a decoder; all it may do with bad input is say so. */
function survives(decode: () => void): 'taken' | 'refused' {
  try {
    decode();
    return 'taken';
  } catch (error) {
    if (error instanceof OvsdbError || error instanceof InexactInteger || error instanceof SyntaxError)
      return 'refused';
    throw error;
  }
}

test('mutated bytes neither crash nor hang the splitter, nor does it keep more than it was given', {
  timeout: 60_000,
}, () => {
  const next = random(1);
  const counts = { taken: 0, refused: 0 };
  let splitter = new Splitter({ wantsPieces: () => true, wholeBytes: 48 });
  for (let n = 0; n < inputs * 0.7; n++) {
    const bytes = mutated(seeds[n & 3] ?? Buffer.alloc(0), next);
    const cut = next() % (bytes.length + 1);
    const result = survives(() => {
      for (const chunk of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
        splitter.push(chunk);
        let pieces = 0;
        while (splitter.next()) if (++pieces > bytes.length * 8) throw new Error('more pieces than bytes');
      }
    });
    counts[result]++;
    // An unclosed string would swallow all that follows, as it should; a client closes a connection it cannot read.
    if (result === 'refused' || (n & 7) === 7) splitter = new Splitter({ wantsPieces: () => true, wholeBytes: 48 });
  }
  expect(counts.taken).toBeGreaterThan(0);
  expect(counts.refused).toBeGreaterThan(0);
});

test('mutated rows and results neither crash nor hang the decoders', { timeout: 60_000 }, () => {
  const next = random(2);
  const counts = { taken: 0, refused: 0 };
  const { Thing } = testSchema.tables;
  if (!Thing) throw new Error('the test schema has a table Thing');
  const shape = new RowShape(Thing, { columns: allColumns, bigint: [], onInexact: () => {} });
  const states = () => new Map([['Thing', { shape, indexes: {}, content: new TableContent({}) }]]);
  let snapshot = new Snapshot(states(), false);
  const select = { op: 'select', table: 'Thing', where: true } as const;
  for (let n = 0; n < inputs * 0.3; n++) {
    const result = survives(() => {
      if (n % 3 === 2) {
        const message: unknown = JSON.parse(mutated(seeds[3] ?? Buffer.alloc(0), next).toString());
        const reply =
          typeof message === 'object' && message !== null && 'result' in message ? message.result : undefined;
        new OutcomeReader(testSchema, [select]).outcome({ kind: 'result', result: reply, reparse: () => [] });
      } else {
        const text = mutated(rowSeeds[n & 1] ?? Buffer.alloc(0), next).toString();
        takeRow('Thing', `u${n & 1023}`, text, (update) => snapshot.take(update));
      }
    });
    counts[result]++;
    if ((n & 4095) === 0) snapshot = new Snapshot(states(), false);
  }
  expect(counts.taken).toBeGreaterThan(0);
  expect(counts.refused).toBeGreaterThan(0);
});
