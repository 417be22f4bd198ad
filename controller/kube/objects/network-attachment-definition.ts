import { Fields } from './fields.ts';
import { present } from './metadata.ts';

/** A k8s.cni.cncf.io/v1 NetworkAttachmentDefinition: what Multus gives a plugin for a further NIC. */
export interface NetworkAttachmentDefinition {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** `spec.config`, a CNI configuration as text; absent where it cannot be for us, since it names our plugin nowhere. */
  readonly config?: string;
  /** Annotation `hawser.dev/network`. */
  readonly network?: string;
  /** Annotation `hawser.dev/cluster-network`. */
  readonly clusterNetwork?: string;
}

export function trimNetworkAttachmentDefinition(json: unknown): NetworkAttachmentDefinition {
  const object = new Fields(json);
  const metadata = object.needObject('metadata');
  const config = object.object('spec')?.string('config');
  const annotations = metadata.stringMap('annotations', (key) => key.startsWith('hawser.dev/'));
  return {
    namespace: metadata.needString('namespace'),
    name: metadata.needString('name'),
    uid: metadata.needString('uid'),
    ...present({
      config: config?.includes('"hawser"') ? config : undefined,
      network: annotations['hawser.dev/network'],
      clusterNetwork: annotations['hawser.dev/cluster-network'],
    }),
  };
}
