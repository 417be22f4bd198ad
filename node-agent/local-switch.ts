import type { OvsdbClient } from '#ovsdb/client.ts';
import { openVswitch } from '#ovsdb/schemas/open-vswitch.ts';
import { type ChassisState, chassisOperations } from './chassis.ts';
import type { Config } from './config.ts';
import { IntegrationBridge, SwitchFailed } from './integration-bridge.ts';
import type { BridgeState } from './physical-bridge.ts';

export interface LocalSwitchEvents {
  /** The node was made, or made again, the chassis it is configured to be; or that was refused. */
  readonly onChassis: (outcome: 'written' | { readonly refused: string }) => void;
  /** ovs-vswitchd cannot use the device of one of our ports: most often because its network namespace went. */
  readonly onDeviceLost: (device: string) => void;
}

/** This node's Open vSwitch, through its database. */
export interface LocalSwitch {
  readonly bridge: IntegrationBridge;
  /** Whether what `bridge` says is so now; false until the first content and while disconnected. */
  readonly isInSync: boolean;
  /** All bridges of the switch, ours or not. */
  bridges(): readonly BridgeState[];
  /** Starts to follow the database; resolves with the first content. */
  follow(): Promise<void>;
}

/**
 * Follows the node's Open_vSwitch database and keeps the node the chassis it is configured to be: whatever changes the bridge or its
 * `external_ids` otherwise is put right.
 */
export function followLocalSwitch(
  client: OvsdbClient,
  config: Config,
  events: LocalSwitchEvents,
  options: { readonly signal: AbortSignal },
): LocalSwitch {
  const bridge = new IntegrationBridge(config.integrationBridge, async (operations) => {
    const signal = AbortSignal.any([options.signal, AbortSignal.timeout(transactTimeoutMs)]);
    try {
      return await client.transact(openVswitch, operations, { signal });
    } catch (cause) {
      throw new SwitchFailed("this node's Open vSwitch database does not answer: is ovsdb-server running?", { cause });
    }
  });
  let isCurrent = (): boolean => false;
  let bridges = (): readonly BridgeState[] => [];

  async function follow(): Promise<void> {
    const replica = await client.replicate(openVswitch, selection, options);
    isCurrent = () => replica.isCurrent;
    bridges = () => [...replica.tables.Bridge.rows.values()].map((row) => ({ ...row, uuid: row._uuid }));
    const stateNow = (): ChassisState | undefined => {
      const [root] = replica.tables.Open_vSwitch.rows.values();
      const found = [...replica.tables.Bridge.rows.values()].find(({ name }) => name === config.integrationBridge);
      return (
        root && {
          root: { ...root, uuid: root._uuid },
          bridge: found && { ...found, uuid: found._uuid },
          bridges: bridges(),
        }
      );
    };
    const beChassis = async (): Promise<void> => {
      const state = stateNow();
      const operations = state ? chassisOperations(state, config) : [];
      if (operations.length === 0) return;
      const outcome = await client.transact(openVswitch, operations, options);
      if (outcome.status === 'committed') events.onChassis('written');
      // ovn-controller makes br-int too. Who comes second is refused, and sees the other's as a change.
      if (outcome.status === 'refused') events.onChassis({ refused: outcome.error.message });
    };
    replica.onChanges(
      ({ changes }) => {
        for (const change of changes) {
          if (change.table === 'Open_vSwitch') bridge.putRoot(change.uuid, change.after);
          if (change.table === 'Bridge') bridge.putBridge(change.uuid, change.after);
          if (change.table === 'Port') bridge.putPort(change.uuid, change.before, change.after);
        }
        for (const change of changes) {
          if (change.table !== 'Interface') continue;
          bridge.putInterface(change.uuid, change.after);
          const { after } = change;
          if (after && isDeviceLost(after) && after.external_ids.has('hawser:attach')) events.onDeviceLost(after.name);
        }
        if (changes.some(({ table }) => table === 'Open_vSwitch' || table === 'Bridge')) {
          // Rejects only when the client is closed.
          void beChassis().catch(() => {});
        }
      },
      { initial: true },
    );
  }

  return {
    bridge,
    get isInSync() {
      return isCurrent();
    },
    bridges: () => bridges(),
    follow,
  };
}

/** The kernel's datapath says so with an error, the userspace one by an index that no device has. */
function isDeviceLost({
  error,
  ifindex,
}: {
  readonly error: string | undefined;
  readonly ifindex: number | undefined;
}): boolean {
  return error !== undefined || ifindex === 0;
}

/** A local socket answers in milliseconds; after this nobody is there. */
const transactTimeoutMs = 10_000;

const selection = {
  Open_vSwitch: { columns: ['external_ids', 'cur_cfg'] },
  Bridge: { columns: ['name', 'datapath_type', 'fail_mode', 'other_config', 'external_ids'] },
  Port: { columns: ['name'] },
  Interface: { columns: ['name', 'external_ids', 'error', 'ifindex'] },
} as const;
