import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { generatedModules } from '#ovsdb/codegen/generated-modules.ts';
import { parseSchema } from '#ovsdb/parse-schema.ts';
import { openVswitch } from '#ovsdb/schemas/open-vswitch.ts';
import { ovnNorthbound } from '#ovsdb/schemas/ovn-northbound.ts';
import { ovnSouthbound } from '#ovsdb/schemas/ovn-southbound.ts';

const schemas = new URL('../../../ovsdb/schemas/', import.meta.url);

test('the generated modules are what `npm run codegen` makes of the schema files', () => {
  const modules = generatedModules();
  expect(modules.map(({ file }) => file)).toEqual(['open-vswitch.ts', 'ovn-northbound.ts', 'ovn-southbound.ts']);
  for (const { file, text } of modules) expect(readFileSync(new URL(file, schemas), 'utf8')).toBe(text);
});

test.for([
  ['ovn-northbound', ovnNorthbound],
  ['ovn-southbound', ovnSouthbound],
  ['open-vswitch', openVswitch],
] as const)('the schema in the module %s says what the file says', ([name, schema]) => {
  const parsed = parseSchema(JSON.parse(readFileSync(new URL(`${name}.ovsschema`, schemas), 'utf8')));
  expect(schema).toEqual(parsed);
});
