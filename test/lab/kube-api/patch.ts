import { isJsonObject, type JsonObject, sameJson } from './object.ts';
import { badRequest, StatusError } from './status-error.ts';

/** RFC 7386. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return patch;
  const result: Record<string, unknown> = isJsonObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

/** RFC 6902, as the API server understands it. A failed operation, `test` included, refuses the whole patch with 422, as the API server does. */
export function jsonPatch(target: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest('a JSON patch is a list of operations');
  return patch.reduce<unknown>((document, operation, index) => {
    if (!isJsonObject(operation)) throw badRequest(`operation ${index} of the patch is not an object`);
    return applyOperation(document, operation);
  }, target);
}

function applyOperation(document: unknown, operation: JsonObject): unknown {
  const path = pointer(operation.path);
  switch (operation.op) {
    case 'add':
      return write(document, path, operation.value, 'add');
    case 'replace':
      return write(document, path, operation.value, 'replace');
    case 'remove':
      return remove(document, path);
    case 'test':
      if (!sameJson(read(document, path, 'lenient'), operation.value)) throw failed('test', path, 'test failed');
      return document;
    case 'move': {
      const from = pointer(operation.from);
      return write(remove(document, from), path, read(document, from, 'strict'), 'add');
    }
    case 'copy':
      return write(document, path, read(document, pointer(operation.from), 'strict'), 'add');
    default:
      throw badRequest(`unknown patch operation ${JSON.stringify(operation.op)}`);
  }
}

/** RFC 6901. */
function pointer(path: unknown): readonly string[] {
  if (typeof path !== 'string' || (path !== '' && !path.startsWith('/'))) {
    throw badRequest(`${JSON.stringify(path)} is not a JSON pointer`);
  }
  if (path === '') return [];
  return path
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Lenient: an absent member is undefined, which a `test` against null accepts. */
function read(document: unknown, path: readonly string[], mode: 'strict' | 'lenient'): unknown {
  let value = document;
  for (const token of path) {
    const next = Array.isArray(value)
      ? value[indexIn(value, token, path)]
      : isJsonObject(value)
        ? value[token]
        : undefined;
    if (next === undefined && mode === 'strict') throw failed('copy', path, 'missing value');
    value = next;
  }
  return value === undefined && mode === 'lenient' ? null : value;
}

function write(document: unknown, path: readonly string[], value: unknown, op: 'add' | 'replace'): unknown {
  const [token, ...rest] = path;
  if (token === undefined) return value;
  if (Array.isArray(document)) {
    if (rest.length > 0) {
      const index = indexIn(document, token, path);
      return document.with(index, write(document[index], rest, value, op));
    }
    if (op === 'replace') return document.with(indexIn(document, token, path), value);
    return document.toSpliced(token === '-' ? document.length : indexIn(document, token, path, 1), 0, value);
  }
  if (!isJsonObject(document)) throw failed(op, path, 'missing path');
  // RFC 6902 has `replace` of an absent member fail; the library of the API server takes it for an `add`.
  if (rest.length > 0 && !(token in document)) throw failed(op, path, 'missing path');
  return { ...document, [token]: write(document[token], rest, value, op) };
}

function remove(document: unknown, path: readonly string[]): unknown {
  const [token, ...rest] = path;
  if (token === undefined) return null;
  if (Array.isArray(document)) {
    const index = indexIn(document, token, path);
    return rest.length > 0 ? document.with(index, remove(document[index], rest)) : document.toSpliced(index, 1);
  }
  if (!isJsonObject(document) || !(token in document)) throw failed('remove', path, 'missing value');
  if (rest.length > 0) return { ...document, [token]: remove(document[token], rest) };
  const { [token]: _removed, ...kept } = document;
  return kept;
}

function indexIn(list: readonly unknown[], token: string, path: readonly string[], beyond = 0): number {
  const index = /^(0|[1-9][0-9]*)$/.test(token) ? Number(token) : Number.NaN;
  if (!(index < list.length + beyond)) throw failed('index', path, 'no such element');
  return index;
}

function failed(op: string, path: readonly string[], why: string): StatusError {
  return new StatusError(
    422,
    'Invalid',
    `the server rejected our request due to an error in our request: ${op} /${path.join('/')}: ${why}`,
  );
}
