import { Fields } from './fields.ts';

/** A core/v1 Namespace. */
export interface Namespace {
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
}

export function trimNamespace(json: unknown): Namespace {
  const metadata = new Fields(json).needObject('metadata');
  return {
    name: metadata.needString('name'),
    uid: metadata.needString('uid'),
    labels: metadata.stringMap('labels'),
  };
}
