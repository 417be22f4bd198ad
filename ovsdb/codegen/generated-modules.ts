import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseSchema } from '../parse-schema.ts';
import { generate } from './generate.ts';

/** What `ovsdb/schemas/*.ts` must contain, formatted as the project is. */
export function generatedModules(): { readonly file: string; readonly text: string }[] {
  const schemas = fileURLToPath(new URL('../schemas/', import.meta.url));
  return globSync('*.ovsschema', { cwd: schemas })
    .sort()
    .map((source) => {
      const file = source.replace(/ovsschema$/, 'ts');
      const schema = parseSchema(JSON.parse(readFileSync(`${schemas}${source}`, 'utf8')));
      return { file, text: formatted(generate(schema, source), `${schemas}${file}`) };
    });
}

function formatted(text: string, path: string): string {
  const biome = spawnSync('biome', ['format', `--stdin-file-path=${path}`], { input: text, encoding: 'utf8' });
  if (biome.status !== 0) throw new Error(`biome could not format ${path}: ${biome.stderr}`);
  return biome.stdout;
}
