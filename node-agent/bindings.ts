import type { OvsdbClient } from '#ovsdb/client.ts';
import { ovnSouthbound } from '#ovsdb/schemas/ovn-southbound.ts';
import type { RequestedPorts } from './requested-ports.ts';

/** What the southbound database tells this node. */
export interface Bindings {
  /** Whether the ports known are those of now; false while disconnected. */
  readonly isInSync: boolean;
  /** Whether ovn-controller has registered this chassis. Without it nothing can be requested for it. */
  readonly isChassisKnown: boolean;
}

/**
 * Keeps `ports` equal to the `Port_Binding` rows that are requested for this chassis (docs/bus.md). Only those rows are sent:
 * the condition names our `Chassis` row, and follows it when ovn-controller makes it anew under another UUID.
 *
 * Resolves with the first content; while the database cannot be reached the last content stays, since what runs goes on running.
 */
export async function followBindings(
  client: OvsdbClient,
  chassisName: string,
  ports: RequestedPorts,
  options: {
    readonly signal: AbortSignal;
    /** Told when this node was registered as a chassis and its ports are here, or when it no longer is one. */
    readonly onChassis: () => void;
  },
): Promise<Bindings> {
  const replica = await client.replicate(
    ovnSouthbound,
    {
      Chassis: { columns: ['name'], where: [['name', '==', chassisName]] },
      Port_Binding: {
        columns: ['logical_port', 'mac', 'external_ids', 'requested_chassis', 'requested_additional_chassis'],
        where: false,
      },
    },
    options,
  );

  const chassisNow = () => replica.tables.Chassis.rows.keys().next().value;
  /** The row that the condition names by now. */
  let followed: string | undefined;

  async function followChassis(): Promise<void> {
    const chassis = chassisNow();
    await replica.setCondition(
      'Port_Binding',
      chassis !== undefined && [
        ['requested_chassis', '==', chassis],
        ['requested_additional_chassis', 'includes', [chassis]],
      ],
    );
    followed = chassis;
  }

  replica.onChanges(({ changes }) => {
    for (const change of changes) {
      if (change.table === 'Port_Binding') ports.put(change.uuid, change.after);
    }
    if (changes.some(({ table }) => table === 'Chassis')) {
      // A rejection means that the replica was closed.
      void followChassis().then(options.onChassis, () => {});
    }
  });
  await followChassis();

  return {
    get isInSync() {
      return replica.isCurrent && followed === chassisNow();
    },
    get isChassisKnown() {
      return replica.tables.Chassis.rows.size > 0;
    },
  };
}
