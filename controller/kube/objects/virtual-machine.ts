import { Fields } from './fields.ts';
import { interfacesOf, networksOf, type VmInterface, type VmNetwork } from './interfaces.ts';
import { isDeleting, isUsedAnnotation, present } from './metadata.ts';

/** A kubevirt.io/v1 VirtualMachine. */
export interface VirtualMachine {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly deleting: boolean;
  /** The template's NICs: what the next VMI of this VM gets. */
  readonly interfaces: readonly VmInterface[];
  readonly networks: readonly VmNetwork[];
  /** `Always`, `Halted`, `Manual`, `RerunOnFailure`, `Once`, `WaitAsReceiver`; absent when the old `spec.running` is used. */
  readonly runStrategy?: string;
}

export function trimVirtualMachine(json: unknown): VirtualMachine {
  const object = new Fields(json);
  const metadata = object.needObject('metadata');
  const spec = object.needObject('spec');
  const template = spec.object('template')?.object('spec');
  return {
    namespace: metadata.needString('namespace'),
    name: metadata.needString('name'),
    uid: metadata.needString('uid'),
    annotations: metadata.stringMap('annotations', isUsedAnnotation),
    deleting: isDeleting(metadata),
    interfaces: template === undefined ? [] : interfacesOf(template),
    networks: template === undefined ? [] : networksOf(template),
    ...present({ runStrategy: spec.string('runStrategy') }),
  };
}
