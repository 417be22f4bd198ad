import { readFileSync, writeFileSync } from 'node:fs';
import { generatedModules } from './generated-modules.ts';

// `npm run codegen`: every `ovsdb/schemas/<name>.ovsschema` → `<name>.ts` beside it.
const schemas = new URL('../schemas/', import.meta.url);
for (const { file, text } of generatedModules()) {
  const target = new URL(file, schemas);
  writeFileSync(target, text);
  console.log(`ovsdb/schemas/${file}: ${readFileSync(target, 'utf8').split('\n').length - 1} lines`);
}
