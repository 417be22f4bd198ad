import { Fields } from './fields.ts';

/** A core/v1 Node. */
export interface Node {
  readonly name: string;
  readonly uid: string;
  /** Condition `Ready` is `True`. */
  readonly ready: boolean;
  /** Addresses of type `InternalIP`, in the API's order. */
  readonly internalIps: readonly string[];
  /** Those of `hawser.dev/` only. */
  readonly annotations: Readonly<Record<string, string>>;
}

export function trimNode(json: unknown): Node {
  const object = new Fields(json);
  const metadata = object.needObject('metadata');
  const status = object.object('status');
  const ready = status?.objects('conditions').find((condition) => condition.string('type') === 'Ready');
  const addresses = status?.objects('addresses') ?? [];
  return {
    name: metadata.needString('name'),
    uid: metadata.needString('uid'),
    ready: ready?.string('status') === 'True',
    internalIps: addresses
      .filter((address) => address.string('type') === 'InternalIP')
      .map((address) => address.needString('address')),
    annotations: metadata.stringMap('annotations', (key) => key.startsWith('hawser.dev/')),
  };
}
