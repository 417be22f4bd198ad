import * as z from 'zod';
import { guestSettingsSchema } from './schema.ts';

/** A node of the JSON schema, as far as the reference reads it. */
interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: SchemaNode;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
}

/** JSON schema of the settings, for a CRD or an editor. */
export function guestSettingsJsonSchema(): unknown {
  return z.toJSONSchema(guestSettingsSchema, { io: 'input' });
}

/** The generated schema is data like any other: parsed, not believed. */
const schemaNode: z.ZodType<SchemaNode> = z.lazy(() =>
  z.object({
    type: z.exactOptional(z.string()),
    description: z.exactOptional(z.string()),
    enum: z.exactOptional(z.array(z.unknown())),
    minimum: z.exactOptional(z.number()),
    maximum: z.exactOptional(z.number()),
    items: z.exactOptional(schemaNode),
    properties: z.exactOptional(z.record(z.string(), schemaNode)),
  }),
);

/** The settings as a Markdown table: one line per field, nested ones with dots. */
export function settingsReference(): string {
  const lines = rows('', schemaNode.parse(guestSettingsJsonSchema()));
  return ['| setting | type | meaning |', '| --- | --- | --- |', ...lines, ''].join('\n');
}

function rows(prefix: string, node: SchemaNode): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const inner = field.items ?? field;
    const own = `| \`${path}\` | ${typeOf(field)} | ${field.description ?? ''} |`;
    return [own, ...rows(`${path}${field.items ? '[].' : '.'}`, inner)];
  });
}

function typeOf(field: SchemaNode): string {
  if (field.items) return `list of ${typeOf(field.items)}`;
  if (field.enum) return field.enum.map(String).join(', ');
  if (field.type !== 'integer') return field.type ?? 'value';
  return field.minimum === undefined ? 'integer' : `integer ${field.minimum}–${field.maximum}`;
}
