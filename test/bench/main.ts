import { existsSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { type Figure, shown } from './figures.ts';

// `npm run bench -- NAME [--json FILE]` runs `test/bench/NAME.ts`, which exports `bench()`.

interface BenchModule {
  readonly bench: () => AsyncIterable<Figure> | Promise<Iterable<Figure>>;
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'string' } } });
const [name = ''] = positionals;
const path = new URL(`./${name}.ts`, import.meta.url);
if (!/^[a-z-]+$/.test(name) || ['main', 'figures', 'page'].includes(name) || !existsSync(path)) {
  console.error('usage: npm run bench -- NAME [--json FILE], where test/bench/NAME.ts is a benchmark');
  process.exit(1);
}

const { bench }: BenchModule = await import(path.href);
const figures: Figure[] = [];
console.log(row('figure', 'ours', 'limit', 'bar', 'ok', 'peers'));
for await (const figure of await bench()) {
  figures.push(figure);
  const { unit, ours, limit, bar, ok, peers, note } = figure;
  const others = Object.entries(peers).map(([peer, value]) => `${peer} ${shown(value)}`);
  const verdict = ok === undefined ? '' : ok ? 'ok' : 'NOT MET';
  console.log(
    row(
      figure.figure,
      `${shown(ours)} ${unit}`,
      limit === undefined ? '' : shown(limit),
      bar ?? '',
      verdict,
      others.join(', '),
    ),
  );
  if (note !== undefined) console.log(`  ${note}`);
}

// Every entry has every key: a figure without a limit or a bar says so.
const entries = figures.map(({ limit = null, bar = 'none, it is reported', ok = null, ...rest }) => ({
  ...rest,
  limit,
  bar,
  ok,
}));
const machine = { cpu: cpus()[0]?.model ?? '', cpus: cpus().length, memoryBytes: totalmem(), node: process.version };
if (values.json) writeFileSync(values.json, `${JSON.stringify({ bench: name, machine, figures: entries }, null, 2)}\n`);
process.exitCode = figures.every(({ ok }) => ok !== false) ? 0 : 1;

function row(figure: string, ours: string, limit: string, bar: string, ok: string, peers: string): string {
  return `${figure.padEnd(64)} ${ours.padStart(16)} ${limit.padStart(10)} ${bar.padStart(28)} ${ok.padEnd(7)} ${peers}`;
}
