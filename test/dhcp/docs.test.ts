import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { settingsReference } from '#dhcp/settings/reference.ts';

test('docs/dhcp.md ends with the reference generated from the schema', () => {
  const page = readFileSync(new URL('../../docs/dhcp.md', import.meta.url), 'utf8');
  expect(page.slice(page.indexOf('| setting | type | meaning |'))).toBe(settingsReference());
});
