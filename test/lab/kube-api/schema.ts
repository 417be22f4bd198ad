import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { isJsonObject, type JsonObject } from './object.ts';

/** The part of a CRD's structural schema that the stand-in understands: all but CEL rules and formats. */
export interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
}

export interface Checked {
  readonly value: unknown;
  /** As the API server words them: `spec.topology: Required value`. */
  readonly problems: readonly string[];
}

/** `clusternetworks.hawser.dev` → the schema of its only version, from `deploy/crds/`. */
export function deployedSchemas(): ReadonlyMap<string, Schema> {
  const folder = join(import.meta.dirname, '../../../deploy/crds');
  const schemas = new Map<string, Schema>();
  for (const file of globSync(join(folder, '*.yaml'))) {
    const { kind, metadata, spec } = parse(readFileSync(file, 'utf8'));
    if (kind === 'CustomResourceDefinition') schemas.set(metadata.name, spec.versions[0].schema.openAPIV3Schema);
  }
  return schemas;
}

/** Fills in defaults, drops fields the schema does not have, and says what is wrong with the rest. */
export function checkedAgainst(schema: Schema, value: unknown, path = ''): Checked {
  const mismatch = typeMismatch(schema, value, path);
  if (mismatch !== undefined) return { value, problems: [mismatch] };
  if (isJsonObject(value)) return checkedObject(schema, value, path);
  if (Array.isArray(value)) return checkedList(schema, value, path);
  return { value, problems: scalarProblems(schema, value, path) };
}

/** Fields of `value` that the schema does not have, as paths: what `fieldValidation=Strict` refuses. */
export function unknownFields(schema: Schema, value: unknown, path = ''): readonly string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => unknownFields(schema.items ?? {}, item, `${path}[${index}]`));
  }
  if (!isJsonObject(value) || schema.properties === undefined) return [];
  return Object.entries(value).flatMap(([name, entry]) => {
    if (path === '' && (name === 'apiVersion' || name === 'kind' || name === 'metadata')) return [];
    const at = path === '' ? name : `${path}.${name}`;
    const field = schema.properties?.[name] ?? schema.additionalProperties;
    return field === undefined ? [at] : unknownFields(field, entry, at);
  });
}

function checkedObject(schema: Schema, value: JsonObject, path: string): Checked {
  const result: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const given = value[name] ?? field.default;
    const at = path === '' ? name : `${path}.${name}`;
    if (given === undefined) {
      if (schema.required?.includes(name)) problems.push(`${at}: Required value`);
      continue;
    }
    const checked = checkedAgainst(field, given, at);
    result[name] = checked.value;
    problems.push(...checked.problems);
  }
  for (const [name, entry] of Object.entries(value)) {
    if (schema.additionalProperties !== undefined) {
      const checked = checkedAgainst(schema.additionalProperties, entry, `${path}.${name}`);
      result[name] = checked.value;
      problems.push(...checked.problems);
    } else if (path === '' && (name === 'apiVersion' || name === 'kind' || name === 'metadata')) {
      result[name] = entry;
    }
  }
  return { value: result, problems };
}

function checkedList(schema: Schema, value: readonly unknown[], path: string): Checked {
  const problems: string[] = [];
  if (schema.maxItems !== undefined && value.length > schema.maxItems) {
    problems.push(`${path}: Too many: ${value.length}: must have at most ${schema.maxItems} items`);
  }
  const items = value.map((item, index) => {
    const checked = checkedAgainst(schema.items ?? {}, item, `${path}[${index}]`);
    problems.push(...checked.problems);
    return checked.value;
  });
  return { value: items, problems };
}

function typeMismatch({ type }: Schema, value: unknown, path: string): string | undefined {
  const found = Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value;
  if (type === undefined || type === found || (type === 'number' && found === 'integer')) return undefined;
  return `${path}: Invalid value: ${JSON.stringify(found)}: ${path} in body must be of type ${type}: ${JSON.stringify(found)}`;
}

function scalarProblems(schema: Schema, value: unknown, path: string): string[] {
  const problems: string[] = [];
  const wrong = (why: string): void => {
    problems.push(`${path}: Invalid value: ${JSON.stringify(value)}: ${path} in body ${why}`);
  };
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    const known = schema.enum.map((word) => JSON.stringify(word)).join(', ');
    problems.push(`${path}: Unsupported value: ${JSON.stringify(value)}: supported values: ${known}`);
  }
  if (typeof value === 'string') {
    if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(value))
      wrong(`should match '${schema.pattern}'`);
    if (value.length < (schema.minLength ?? 0)) wrong(`should be at least ${schema.minLength} chars long`);
    if (value.length > (schema.maxLength ?? Number.POSITIVE_INFINITY)) {
      problems.push(`${path}: Too long: may not be more than ${schema.maxLength} bytes`);
    }
  }
  if (typeof value === 'number') {
    if (value < (schema.minimum ?? Number.NEGATIVE_INFINITY))
      wrong(`should be greater than or equal to ${schema.minimum}`);
    if (value > (schema.maximum ?? Number.POSITIVE_INFINITY))
      wrong(`should be less than or equal to ${schema.maximum}`);
  }
  return problems;
}
