/** An object of the API whose field does not have the type its schema promises. `field` is a path such as `spec.nodeName`. */
export class MalformedField extends Error {
  override readonly name = 'MalformedField';
  readonly field: string;
  readonly expected: string;
  constructor(field: string, expected: string, found: unknown) {
    super(`${field} should be ${expected}, not ${described(found)}`);
    this.field = field;
    this.expected = expected;
  }
}

/**
 * Typed reading of one JSON object, remembering where in the whole it sits. Every getter throws {@link MalformedField}
 * naming the full path; an absent field, or null, is `undefined` for the plain getters and an error for `need…`.
 */
export class Fields {
  readonly #json: Readonly<Record<string, unknown>>;
  readonly #path: string;

  constructor(json: unknown, path = '') {
    if (!isJsonObject(json)) throw new MalformedField(path === '' ? 'object' : path, 'an object', json);
    this.#json = json;
    this.#path = path;
  }

  string(name: string): string | undefined {
    return this.#read(name, 'a string', isString);
  }

  number(name: string): number | undefined {
    return this.#read(name, 'a number', isNumber);
  }

  boolean(name: string): boolean | undefined {
    return this.#read(name, 'true or false', isBoolean);
  }

  /** A `metav1.Time` (RFC 3339) as milliseconds since 1970. */
  time(name: string): number | undefined {
    const text = this.string(name);
    if (text === undefined) return undefined;
    const ms = Date.parse(text);
    if (Number.isNaN(ms)) throw new MalformedField(this.#at(name), 'an RFC 3339 time', text);
    return ms;
  }

  /** A nested object; an absent one is undefined. */
  object(name: string): Fields | undefined {
    const value = this.#json[name];
    return value === undefined || value === null ? undefined : new Fields(value, this.#at(name));
  }

  /** A list as it came; an absent one is empty. */
  list(name: string): readonly unknown[] {
    return this.#read(name, 'a list', Array.isArray) ?? [];
  }

  /** The objects of a list; an absent list is empty. */
  objects(name: string): Fields[] {
    return this.list(name).map((item, index) => new Fields(item, `${this.#at(name)}[${index}]`));
  }

  /** The strings of a list; an absent list is empty. */
  strings(name: string): string[] {
    return this.list(name).map((item, index) => {
      if (!isString(item)) throw new MalformedField(`${this.#at(name)}[${index}]`, 'a string', item);
      return item;
    });
  }

  /** A map of strings, such as labels, less the keys not wanted; an absent one is empty. */
  stringMap(name: string, wanted: (key: string) => boolean = () => true): Readonly<Record<string, string>> {
    const map: Record<string, string> = {};
    const value = this.#json[name];
    if (value === undefined || value === null) return map;
    if (!isJsonObject(value)) throw new MalformedField(this.#at(name), 'an object', value);
    for (const [key, entry] of Object.entries(value)) {
      if (!wanted(key)) continue;
      if (!isString(entry)) throw new MalformedField(`${this.#at(name)}[${key}]`, 'a string', entry);
      map[key] = entry;
    }
    return map;
  }

  /** Whether the field is there at all; `{}` counts, null does not. */
  has(name: string): boolean {
    return this.#json[name] !== undefined && this.#json[name] !== null;
  }

  /** The field as it came, for a reader of its own. */
  raw(name: string): unknown {
    return this.#json[name];
  }

  needString(name: string): string {
    return this.string(name) ?? this.#missing(name, 'a string');
  }

  needObject(name: string): Fields {
    return this.object(name) ?? this.#missing(name, 'an object');
  }

  /** One of the words of `known`. */
  oneOf<const Word extends string>(name: string, known: readonly Word[]): Word | undefined {
    const text = this.string(name);
    if (text === undefined) return undefined;
    const word = known.find((candidate) => candidate === text);
    if (word === undefined) throw new MalformedField(this.#at(name), `one of ${known.join(', ')}`, text);
    return word;
  }

  #read<Type>(name: string, expected: string, is: (value: unknown) => value is Type): Type | undefined {
    const value = this.#json[name];
    if (value === undefined || value === null) return undefined;
    if (!is(value)) throw new MalformedField(this.#at(name), expected, value);
    return value;
  }

  #missing(name: string, expected: string): never {
    throw new MalformedField(this.#at(name), expected, undefined);
  }

  #at(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`;
  }
}

export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function described(value: unknown): string {
  if (value === undefined) return 'absent';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}
