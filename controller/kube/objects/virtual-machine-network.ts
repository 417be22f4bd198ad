import { Fields } from './fields.ts';

/** A hawser.dev/v1alpha1 VirtualMachineNetwork: what we say of one VM or bare VMI, by whose name it is called. */
export interface VirtualMachineNetwork {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** As it was last written. */
  readonly status: unknown;
}

export function trimVirtualMachineNetwork(json: unknown): VirtualMachineNetwork {
  const object = new Fields(json);
  const metadata = object.needObject('metadata');
  return {
    namespace: metadata.needString('namespace'),
    name: metadata.needString('name'),
    uid: metadata.needString('uid'),
    status: object.raw('status'),
  };
}
