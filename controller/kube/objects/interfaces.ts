import { type Fields, MalformedField } from './fields.ts';
import { present } from './metadata.ts';

/** How a NIC is attached to the pod network (KubeVirt `spec.domain.devices.interfaces[]`; `plugin` has the binding's name). */
export type InterfaceBinding =
  | { readonly kind: 'bridge' | 'masquerade' | 'passt' | 'sriov' }
  | { readonly kind: 'plugin'; readonly name: string };

/** A NIC of a VM, from its `spec.domain.devices.interfaces[]`. */
export interface VmInterface {
  /** Equal to the name of the network it is on. */
  readonly name: string;
  /** As the user wrote it. */
  readonly macAddress?: string;
  readonly binding: InterfaceBinding;
  /** `absent` asks for hot-unplug. */
  readonly state?: 'up' | 'down' | 'absent';
}

/** An entry of a VM's `spec.networks[]`: the pod network, or one through Multus. */
export interface VmNetwork {
  readonly name: string;
  readonly pod?: true;
  readonly multus?: {
    /** `name` or `namespace/name` of a NetworkAttachmentDefinition. */
    readonly networkName: string;
    /** It takes the place of the pod network. */
    readonly default?: true;
  };
}

/** The NICs of a VMI spec (or of a VM's template, which is the same schema). */
export function interfacesOf(spec: Fields): readonly VmInterface[] {
  const devices = spec.object('domain')?.object('devices');
  return (devices?.objects('interfaces') ?? []).map((entry) => ({
    name: entry.needString('name'),
    binding: bindingOf(entry),
    ...present({
      macAddress: entry.string('macAddress'),
      state: entry.string('state') === '' ? undefined : entry.oneOf('state', ['up', 'down', 'absent']),
    }),
  }));
}

export function networksOf(spec: Fields): readonly VmNetwork[] {
  return spec.objects('networks').map((entry) => {
    const multus = entry.object('multus');
    const networkName = multus?.needString('networkName');
    return {
      name: entry.needString('name'),
      ...present({
        pod: entry.has('pod') ? (true as const) : undefined,
        multus:
          networkName === undefined
            ? undefined
            : { networkName, ...present({ default: multus?.boolean('default') ? (true as const) : undefined }) },
      }),
    };
  });
}

/** No binding at all means bridge, KubeVirt's default for an interface (`defaultNetworkInterface` is written out by its webhook). */
function bindingOf(entry: Fields): InterfaceBinding {
  const plugin = entry.object('binding');
  if (plugin !== undefined) return { kind: 'plugin', name: plugin.needString('name') };
  if (entry.has('masquerade')) return { kind: 'masquerade' };
  if (entry.has('passtBinding') || entry.has('passt')) return { kind: 'passt' };
  if (entry.has('sriov')) return { kind: 'sriov' };
  if (entry.has('slirp') || entry.has('macvtap')) {
    throw new MalformedField(
      `interface ${entry.string('name')}`,
      'bound in a way KubeVirt still has',
      'slirp or macvtap',
    );
  }
  return { kind: 'bridge' };
}
