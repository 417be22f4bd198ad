import { attachKinds } from './port-request.ts';

/** What a row asks for, and `localport`: the agent's own port on a segment whose guests it answers. */
export type SwitchPortKind = (typeof switchPortKinds)[number];
const switchPortKinds = [...attachKinds, 'localport'] as const;

/** A port of ours on `br-int`, as its `Interface` row says in `external_ids` (docs/bus.md, "What the agent writes"). */
export interface SwitchPort {
  /** Name of the `Interface`, of its `Port` and of the device. */
  readonly device: string;
  /** `iface-id`: by it ovn-controller binds the logical switch port. */
  readonly logicalPort: string;
  readonly mac: string;
  readonly attach: SwitchPortKind;
  /** The sandbox it belongs to; a direct tap belongs to none. */
  readonly sandbox?: SandboxMark;
}

export interface SandboxMark {
  readonly podUid: string;
  readonly containerId: string;
  readonly interfaceName: string;
  /** CNI network name. */
  readonly network: string;
}

export function marksOf({ logicalPort, mac, attach, sandbox }: SwitchPort): Record<string, string> {
  return {
    'iface-id': logicalPort,
    'attached-mac': mac,
    'hawser:attach': attach,
    ...(sandbox && {
      'hawser:pod': sandbox.podUid,
      'hawser:sandbox': sandbox.containerId,
      'hawser:interface': sandbox.interfaceName,
      'hawser:network': sandbox.network,
    }),
  };
}

/** @returns undefined for an interface that is not ours: whoever made it, we leave it alone. */
export function readMarks(device: string, externalIds: ReadonlyMap<string, string>): SwitchPort | undefined {
  const attach = switchPortKinds.find((kind) => kind === externalIds.get('hawser:attach'));
  const logicalPort = externalIds.get('iface-id');
  if (!attach || logicalPort === undefined) return undefined;
  const containerId = externalIds.get('hawser:sandbox');
  return {
    device,
    logicalPort,
    mac: externalIds.get('attached-mac') ?? '',
    attach,
    ...(containerId !== undefined && {
      sandbox: {
        podUid: externalIds.get('hawser:pod') ?? '',
        containerId,
        interfaceName: externalIds.get('hawser:interface') ?? '',
        network: externalIds.get('hawser:network') ?? '',
      },
    }),
  };
}
