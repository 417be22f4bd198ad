import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const page = readFileSync(new URL('../../docs/ovsdb-traps.md', import.meta.url), 'utf8');
const cited = [...page.matchAll(/`([\w/.-]+\.test\.ts)`: (.*?)(?=<br>| \|$)/gm)].map(([, file = '', title = '']) => ({
  file,
  title,
}));

test('every trap of the page names a test that is there', () => {
  const sources = new Map<string, string>();
  const missing = cited.filter(({ file, title }) => {
    const source = sources.get(file) ?? readFileSync(new URL(file, import.meta.url), 'utf8');
    sources.set(file, source);
    return !source.includes(title);
  });
  expect(missing).toEqual([]);
  expect(cited.length).toBeGreaterThan(page.split('\n').filter((line) => /^\| (?!trap|---)/.test(line)).length - 1);
});
