import type { StoredObject } from './object.ts';
import { isJsonObject } from './object.ts';
import { badRequest } from './status-error.ts';

export type Matches = (object: StoredObject) => boolean;

/** `labelSelector` and `fieldSelector` of a request; absent ones match everything. */
export function selectorOf(query: URLSearchParams): Matches | undefined {
  const labels = query.get('labelSelector');
  const fields = query.get('fieldSelector');
  if (!labels && !fields) return undefined;
  const requirements = [...(labels ? labelRequirements(labels) : []), ...(fields ? fieldRequirements(fields) : [])];
  return (object) => requirements.every((holds) => holds(object));
}

function labelRequirements(selector: string): Matches[] {
  // Commas inside parentheses separate values, not requirements.
  return selector.split(/,(?![^(]*\))/).map((part) => {
    const requirement = part.trim();
    const set = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(requirement);
    if (set !== null) {
      const [, key = '', operator, list = ''] = set;
      const values = list.split(',').map((value) => value.trim());
      return operator === 'in'
        ? (object) => hasOneOf(labelOf(object, key), values)
        : (object) => !hasOneOf(labelOf(object, key), values);
    }
    const pair = /^([^!=\s]+)\s*(==|=|!=)\s*(\S*)$/.exec(requirement);
    if (pair !== null) {
      const [, key = '', operator, value = ''] = pair;
      return operator === '!='
        ? (object) => labelOf(object, key) !== value
        : (object) => labelOf(object, key) === value;
    }
    const presence = /^(!?)\s*([^!=\s]+)$/.exec(requirement);
    if (presence === null) throw badRequest(`unable to parse requirement: ${requirement}`);
    const [, not, key = ''] = presence;
    return (object) => (labelOf(object, key) === undefined) === (not === '!');
  });
}

function fieldRequirements(selector: string): Matches[] {
  return selector.split(',').map((part) => {
    const [, field = '', operator, value = ''] = /^([^!=]+)(==|=|!=)(.*)$/.exec(part) ?? [];
    const read = fields[field];
    if (read === undefined) throw badRequest(`field label not supported: ${field}`);
    return (object) => ((read(object) ?? '') === value) === (operator !== '!=');
  });
}

const fields: Readonly<Record<string, (object: StoredObject) => string | undefined>> = {
  'metadata.name': (object) => object.metadata.name,
  'metadata.namespace': (object) => object.metadata.namespace,
  'spec.nodeName': (object) => textAt(object.spec, 'nodeName'),
  'status.phase': (object) => textAt(object.status, 'phase'),
  'involvedObject.name': (object) => textAt(object.involvedObject, 'name'),
  'involvedObject.uid': (object) => textAt(object.involvedObject, 'uid'),
};

function labelOf(object: StoredObject, key: string): string | undefined {
  return object.metadata.labels?.[key];
}

function hasOneOf(value: string | undefined, values: readonly string[]): boolean {
  return value !== undefined && values.includes(value);
}

function textAt(value: unknown, field: string): string | undefined {
  const text = isJsonObject(value) ? value[field] : undefined;
  return typeof text === 'string' ? text : undefined;
}
