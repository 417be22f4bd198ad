import { type BaseType, type ColumnSchema, type DatabaseSchema, kindOf } from '../schema.ts';

/** TypeScript module text for a schema: one interface per table, the table of tables, and the schema as data. */
export function generate(schema: DatabaseSchema, source: string): string {
  const camel = schema.name
    .split('_')
    .map((word, i) => (i === 0 ? word.toLowerCase() : capital(word.toLowerCase())))
    .join('');
  const tables = Object.entries(schema.tables).sort(([a], [b]) => (a < b ? -1 : 1));
  const used = new Set(tables.flatMap(([, table]) => Object.values(table.columns).map(constructorOf)));
  return `// Made by \`npm run codegen\` from ${source}. Do not edit.
import { ${[...used].sort().join(', ')} } from '../column-types.ts';
import type { DatabaseSchema } from '../schema.ts';

${tables.map(([name, table]) => rowInterface(name, table.columns)).join('\n')}
export type ${capital(camel)}Tables = {
${tables.map(([name, table]) => `  readonly ${name}: { readonly row: ${interfaceName(name)}; readonly references: ${referenceUnion(table.columns)} };`).join('\n')}
};

export const ${camel}: DatabaseSchema<${capital(camel)}Tables> = {
  name: '${schema.name}',
  version: '${schema.version}',
  tables: {
${tables
  .map(
    ([name, table]) => `    ${name}: {
      isRoot: ${table.isRoot},
      indexes: ${literal(table.indexes)},${table.maxRows === undefined ? '' : `\n      maxRows: ${table.maxRows},`}
      columns: {
${sorted(table.columns)
  .map(([column, type]) => `        ${property(column)}: ${columnExpression(type)},`)
  .join('\n')}
      },
    },`,
  )
  .join('\n')}
  },
};
`;
}

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
const interfaceName = (table: string) => table.split('_').map(capital).join('');
const property = (name: string) => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : literal(name));
const sorted = <T>(columns: Readonly<Record<string, T>>) =>
  Object.entries(columns).sort(([a], [b]) => (a < b ? -1 : 1));

function rowInterface(table: string, columns: Readonly<Record<string, ColumnSchema>>): string {
  const members = sorted(columns).map(([name, column]) => `  readonly ${property(name)}: ${valueType(column)};`);
  return `/** Columns of \`${table}\`. */\nexport interface ${interfaceName(table)} {\n${members.join('\n')}\n}\n`;
}

function valueType(column: ColumnSchema): string {
  const key = atomType(column.key);
  switch (kindOf(column)) {
    case 'scalar':
      return key;
    case 'optional':
      return `${key} | undefined`;
    case 'set':
      return `readonly ${key.includes('|') ? `(${key})` : key}[]`;
    case 'map':
      return `ReadonlyMap<${key}, ${column.value ? atomType(column.value) : key}>`;
  }
}

function atomType(base: BaseType): string {
  if (base.enum) return base.enum.map(literal).join(' | ');
  switch (base.type) {
    case 'integer':
    case 'real':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'string':
    case 'uuid':
      return 'string';
  }
}

function referenceUnion(columns: Readonly<Record<string, ColumnSchema>>): string {
  const names = sorted(columns).filter(([, { key, value }]) => key.type === 'uuid' || value?.type === 'uuid');
  return names.map(([name]) => literal(name)).join(' | ') || 'never';
}

const constructorOf = (column: ColumnSchema) => kindOf(column);

function columnExpression(column: ColumnSchema): string {
  const flags = Object.entries({ ephemeral: column.ephemeral, immutable: column.immutable }).filter(([, on]) => on);
  const kind = kindOf(column);
  const isUsualSize =
    kind === 'scalar' || kind === 'optional' || (column.min === 0 && column.max === Number.POSITIVE_INFINITY);
  const options = [
    ...(isUsualSize ? [] : [`min: ${column.min}`, `max: ${column.max}`]),
    ...flags.map(([name]) => `${name}: true`),
  ];
  const arguments_ = [
    baseExpression(column.key),
    ...(column.value ? [baseExpression(column.value)] : []),
    ...(options.length > 0 ? [`{ ${options.join(', ')} }`] : []),
  ];
  return `${kind}(${arguments_.join(', ')})`;
}

function baseExpression(base: BaseType): string {
  const { type, ...limits } = base;
  const entries = Object.entries(limits);
  if (entries.length === 0) return literal(type);
  return `{ type: ${literal(type)}, ${entries.map(([name, value]) => `${name}: ${literal(value)}`).join(', ')} }`;
}

function literal(value: unknown): string {
  if (typeof value === 'string') return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  return JSON.stringify(value);
}
