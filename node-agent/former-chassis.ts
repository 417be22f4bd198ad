import { networkInterfaces } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { OvsdbClient } from '#ovsdb/client.ts';
import { ovnSouthbound } from '#ovsdb/schemas/ovn-southbound.ts';
import type { Config } from './config.ts';

export interface FormerChassisOptions {
  readonly signal: AbortSignal;
  /** Told when a chassis was removed, or why it could not be: then it is tried again. */
  readonly onOutcome: (chassis: string, outcome: 'removed' | { readonly failed: unknown }) => void;
}

/**
 * Removes the chassis that this machine was before, under another name. The southbound database has one encapsulation of a type and an
 * address (ovn-sb(5), Encap), so ovn-controller could not register the new one while the old one is there. It is known by our own
 * tunnel address, and only while our chassis is missing and the address is on a device of this host: another machine that is
 * given this one's address by mistake does no harm.
 *
 * Resolves when it is being looked after. Level-triggered, for an ovn-controller that has not read its new name yet makes the old one anew.
 */
export async function removeFormerChassis(
  client: OvsdbClient,
  { nodeName, encap }: Pick<Config, 'nodeName' | 'encap'>,
  { signal, onOutcome }: FormerChassisOptions,
): Promise<void> {
  const replica = await client.replicate(
    ovnSouthbound,
    {
      Chassis: { columns: ['name'], where: [['name', '==', nodeName]] },
      Encap: { columns: ['chassis_name'], where: [['ip', '==', encap.ip]] },
    },
    { signal },
  );
  const { Chassis, Encap } = replica.tables;
  const inTheWay = () =>
    chassisInTheWay({
      nodeName,
      isRegistered: Chassis.rows.size > 0,
      isOurAddress: hasAddress(encap.ip),
      holders: [...Encap.rows.values()].map((row) => row.chassis_name),
    });

  async function remove(chassis: string): Promise<void> {
    const where = [['name', '==', chassis]] as const;
    const outcome = await client.transact(
      ovnSouthbound,
      [
        { op: 'delete', table: 'Chassis', where },
        { op: 'delete', table: 'Chassis_Private', where },
      ],
      { signal },
    );
    if (outcome.status === 'committed') onOutcome(chassis, 'removed');
    else onOutcome(chassis, { failed: outcome.status === 'refused' ? outcome.error : outcome.cause });
  }

  let isBusy = false;
  async function look(): Promise<void> {
    if (isBusy) return;
    isBusy = true;
    try {
      for (let chassis = inTheWay(); chassis !== undefined; chassis = inTheWay()) {
        await remove(chassis);
        await delay(pauseMilliseconds, undefined, { signal, ref: false });
      }
    } finally {
      isBusy = false;
    }
  }
  // Rejects only when the agent ends.
  const wake = () => void look().catch(() => {});
  replica.onChanges(wake);
  wake();
}

/** The chassis to remove, if there is one; `holders` are those that have an encapsulation with our tunnel address. */
export function chassisInTheWay(seen: {
  readonly nodeName: string;
  /** Whether our own chassis is there. */
  readonly isRegistered: boolean;
  /** Whether the tunnel address is on a device of this host. */
  readonly isOurAddress: boolean;
  readonly holders: readonly string[];
}): string | undefined {
  const { nodeName, isRegistered, isOurAddress, holders } = seen;
  return isRegistered || !isOurAddress ? undefined : holders.find((name) => name !== nodeName);
}

/** ovn-controller needs a moment to register what it could not before. */
const pauseMilliseconds = 1000;

function hasAddress(ip: string): boolean {
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === ip));
}
