import type { AtomType, BaseType, ColumnSchema } from './schema.ts';

// The words generated schema modules are written in: one constructor per kind of column.

type Base = AtomType | BaseType;
type Flags = Pick<ColumnSchema, 'ephemeral' | 'immutable'>;
type SizeAndFlags = Flags & { readonly min?: number; readonly max?: number };

export const scalar = (key: Base, flags: Flags = {}): ColumnSchema => ({ key: base(key), min: 1, max: 1, ...flags });

export const optional = (key: Base, flags: Flags = {}): ColumnSchema => ({ key: base(key), min: 0, max: 1, ...flags });

export const set = (key: Base, options: SizeAndFlags = {}): ColumnSchema => ({
  key: base(key),
  min: 0,
  max: Number.POSITIVE_INFINITY,
  ...options,
});

export const map = (key: Base, value: Base, options: SizeAndFlags = {}): ColumnSchema => ({
  key: base(key),
  value: base(value),
  min: 0,
  max: Number.POSITIVE_INFINITY,
  ...options,
});

const base = (type: Base): BaseType => (typeof type === 'string' ? { type } : type);
