import * as z from 'zod';
import { guestSettingsSchema } from '#dhcp/settings/schema.ts';
import * as values from '#dhcp/settings/values.ts';
import type { Rule, Structural } from './structural.ts';

/** The structural schema of `spec.guest`, made from what `dhcp/` itself parses, so that the two cannot differ. */
export function guestSchema(): Structural {
  const schema = z.toJSONSchema(guestSettingsSchema, {
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
    override: ({ zodSchema, jsonSchema }) => {
      const text = texts.find(([known]) => known._zod.def === zodSchema._zod.def);
      if (text !== undefined) Object.assign(jsonSchema, { type: 'string', ...text[1] });
    },
  });
  return {
    ...structural(schema, 'guest'),
    description: 'What the guests are told by DHCPv4, DHCPv6 and router advertisements.',
  };
}

/** The kinds of text in guest settings, with the part of their check that CEL can do. */
const texts: readonly (readonly [z.ZodType, Partial<Structural>])[] = [
  [values.ipAddress, text(45, { rule: 'isIP(self)', message: 'should be an IPv4 or IPv6 address' })],
  [
    values.ipv4Address,
    text(15, { rule: 'isIP(self) && ip(self).family() == 4', message: 'should be an IPv4 address' }),
  ],
  [
    values.ipPrefix,
    text(49, { rule: 'isCIDR(self)', message: 'should be a prefix such as 10.1.0.0/16 or fd00:1::/64' }),
  ],
  [
    values.ipv6Prefix,
    text(49, {
      rule: 'isCIDR(self) && cidr(self).ip().family() == 6',
      message: 'should be a prefix such as fd00:1::/64',
    }),
  ],
  [
    values.pref64Prefix,
    text(49, {
      rule: 'isCIDR(self) && cidr(self).ip().family() == 6 && cidr(self).prefixLength() in [96, 64, 56, 48, 40, 32]',
      message: 'should be a NAT64 prefix of length 96, 64, 56, 48, 40 or 32',
    }),
  ],
];

function text(maxLength: number, rule: Rule): Partial<Structural> {
  return { maxLength, 'x-kubernetes-validations': [rule] };
}

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** A JSON schema in the dialect of CRDs; throws on what has no counterpart there. */
function structural(schema: JsonSchema, at: string): Structural {
  const { type, description, enum: words } = schema;
  const about = description === undefined ? {} : { description };
  switch (type) {
    case 'object': {
      const properties = Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([name, property]) => [
          name,
          structural(schemaIn(property, at), `${at}.${name}`),
        ]),
      );
      return { type, ...about, properties, ...(schema.required === undefined ? {} : { required: schema.required }) };
    }
    case 'array': {
      const items = schema.items;
      if (items === undefined || Array.isArray(items)) throw new Error(`${at}: a list needs one schema for its items`);
      const maxItems = schema.maxItems;
      return {
        type,
        ...about,
        items: structural(schemaIn(items, at), `${at}[]`),
        ...(maxItems === undefined ? {} : { maxItems }),
        'x-kubernetes-list-type': 'atomic',
      };
    }
    case 'integer':
      return {
        type,
        ...about,
        format: 'int64',
        ...(schema.minimum === undefined ? {} : { minimum: schema.minimum }),
        ...(schema.maximum === undefined ? {} : { maximum: schema.maximum }),
      };
    case 'string':
      return {
        type,
        ...about,
        ...(words === undefined ? {} : { enum: words.map(String) }),
        ...('x-kubernetes-validations' in schema
          ? Object.fromEntries(
              Object.entries(schema).filter(([key]) => key === 'maxLength' || key === 'x-kubernetes-validations'),
            )
          : { maxLength: 1024 }),
      };
    case 'boolean':
      return { type, ...about };
    default:
      throw new Error(`${at}: a CRD cannot say ${JSON.stringify(schema)}`);
  }
}

function schemaIn(schema: JsonSchema | boolean, at: string): JsonSchema {
  if (typeof schema === 'boolean') throw new Error(`${at}: a CRD cannot say ${schema}`);
  return schema;
}
