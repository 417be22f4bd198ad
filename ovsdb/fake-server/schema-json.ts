import type { ColumnSchema, DatabaseSchema } from '../schema.ts';

/** `<database-schema>` (RFC 7047 section 3.2): the inverse of `parseSchema`. */
export function schemaJson(schema: DatabaseSchema): object {
  const tables = Object.entries(schema.tables).map(([name, { columns, ...table }]) => [
    name,
    {
      ...table,
      columns: Object.fromEntries(Object.entries(columns).map(([column, type]) => [column, columnJson(type)])),
    },
  ]);
  return { name: schema.name, version: schema.version, tables: Object.fromEntries(tables) };
}

function columnJson({ key, value, min, max, ephemeral, immutable }: ColumnSchema): object {
  const baseJson = ({ enum: values, ...base }: ColumnSchema['key']) => ({
    ...base,
    ...(values && { enum: ['set', values] }),
  });
  return {
    type: {
      key: baseJson(key),
      ...(value && { value: baseJson(value) }),
      min,
      max: max === Number.POSITIVE_INFINITY ? 'unlimited' : max,
    },
    ...(ephemeral && { ephemeral }),
    ...(immutable && { mutable: false }),
  };
}
