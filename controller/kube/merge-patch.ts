type JsonObject = Readonly<Record<string, unknown>>;

/** One JSON merge patch (RFC 7386) that does what `first` and then `second` would do. A null in it removes, so nulls are kept. */
export function composedMergePatch(first: JsonObject, second: JsonObject): JsonObject {
  const composed: Record<string, unknown> = { ...first };
  for (const [key, value] of Object.entries(second)) {
    const earlier = composed[key];
    composed[key] = isObject(earlier) && isObject(value) ? composedMergePatch(earlier, value) : value;
  }
  return composed;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
