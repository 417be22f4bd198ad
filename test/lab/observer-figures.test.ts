import { expect, test } from 'vitest';
import { Echoes } from './observer/echoes.ts';
import { longestGapMs } from './observer/gaps.ts';
import { patternBytes, wrongBytes } from './observer/stream-pattern.ts';

test.each([
  { what: 'the longest pause between two arrivals', arrivals: [0, 10, 50, 60], gap: 40 },
  { what: 'a gap that began before the span, whole', arrivals: [-70, 30, 40, 50, 60, 70, 80, 90, 100], gap: 100 },
  { what: 'a gap that ends after the span, whole', arrivals: [0, 50, 190], gap: 140 },
  { what: 'silence up to the end', arrivals: [0, 10], gap: 90 },
  { what: 'silence all along', arrivals: [], gap: 100 },
  { what: 'no gap that was over before the span', arrivals: [-500, -10, 0, 50, 100], gap: 50 },
])('the longest gap is $what', ({ arrivals, gap }) => {
  expect(longestGapMs(arrivals, { from: 0, to: 100 })).toBe(gap);
});

const request = (second: string, sequence: number) =>
  `17${second} IP6 fd00:9::1 > fd00:9::2: ICMP6, echo request, id 7, seq ${sequence}, length 64`;
const reply = (second: string, sequence: number) =>
  `17${second} IP 10.9.0.2 > 10.9.0.1: ICMP echo reply, id 7, seq ${sequence}, length 64`;
const span = { from: 17_000, to: 18_000 };

function figuresOf(lines: readonly string[], now: number) {
  const echoes = new Echoes();
  for (const line of lines) echoes.take(line);
  return echoes.figures(span, now);
}

test('a request is lost when a later one was answered, and not while it may still be', () => {
  const lines = [request('.000', 1), request('.010', 2), reply('.011', 2), request('.020', 3)];
  expect(figuresOf(lines, 17_100)).toMatchObject({ sent: 3, received: 1, lost: 1 });
  expect(figuresOf(lines, 18_100)).toMatchObject({ sent: 3, received: 1, lost: 2 });
});

test('a reply that comes twice counts once', () => {
  const lines = [request('.000', 1), reply('.001', 1), reply('.500', 1)];
  expect(figuresOf(lines, 17_600)).toMatchObject({ received: 1, longestGapMs: 999 });
});

test('other packets count for nothing', () => {
  const echoes = new Echoes();
  expect(echoes.take('17.000 ARP, Request who-has 10.9.0.2 tell 10.9.0.1, length 28')).toBeUndefined();
  expect(echoes.take(reply('.100', 1))).toBeUndefined();
});

test('requests and replies are told apart when the sequence number starts again', () => {
  const echoes = new Echoes();
  for (let position = 1; position <= 65_536 + 3; position += 1) echoes.take(request('.000', position & 0xffff));
  expect(echoes.take(reply('.100', 3))).toBe('reply');
  expect(echoes.newestIsAnswered).toBe(true);
});

test('every place of the stream has its byte', () => {
  expect(patternBytes(1022, 4)).toEqual(Buffer.from([0, 255, 0, 0]));
  expect(wrongBytes(1022, patternBytes(1022, 100))).toBe(0);
  expect(wrongBytes(1018, patternBytes(1022, 100))).toBeGreaterThan(0);
});
