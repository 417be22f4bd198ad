import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** Room → the rooms it may import from. What passes between the others is data (docs/architecture.md). */
const mayImport: Record<string, readonly string[]> = {
  ovsdb: [],
  dhcp: [],
  controller: ['ovsdb', 'dhcp'],
  'node-agent': ['ovsdb', 'dhcp'],
};

for (const [room, allowed] of Object.entries(mayImport)) {
  test(`${room}/ imports only ${allowed.length > 0 ? allowed.join(' and ') : 'itself'}`, () => {
    const strangers: string[] = [];
    for (const file of globSync(`${room}/**/*.ts`)) {
      for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
        const target = /^#([^/]+)\//.exec(specifier)?.[1];
        const leaves = /^(\.\.\/)+(ovsdb|dhcp|controller|node-agent|test)\//.test(specifier);
        if (leaves || (target !== undefined && target !== room && !allowed.includes(target))) {
          strangers.push(`${file}: ${specifier}`);
        }
      }
    }
    expect(strangers).toEqual([]);
  });
}
