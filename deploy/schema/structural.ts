/** An OpenAPI v3 schema as a CRD takes it ("structural": every field has one type, nothing is hidden in combinators). */
export interface Structural {
  readonly type: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Structural>>;
  readonly additionalProperties?: Structural;
  readonly required?: readonly string[];
  readonly items?: Structural;
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'map' | 'set';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-validations'?: readonly Rule[];
}

/**
 * A CEL rule. `message` must make sense to whoever wrote the object; `messageExpression` can name the value that is wrong,
 * with what has a known length: the API server refuses filtered lists and formatted addresses in it, as too dear.
 */
export interface Rule {
  readonly rule: string;
  readonly message: string;
  readonly messageExpression?: string;
}
