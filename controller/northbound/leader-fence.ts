import type { OvsdbClient } from '#ovsdb/client.ts';
import { ovnNorthbound } from '#ovsdb/schemas/ovn-northbound.ts';
import type { Operation } from '#ovsdb/transaction/operation.ts';
import type { Fence } from './fence.ts';

/** This controller's turn as the leader. */
export interface Term {
  /** Greater than that of every leader before. */
  readonly number: number;
  /** Unique to the process. */
  readonly identity: string;
}

export interface LeaderFenceOptions {
  readonly client: Pick<OvsdbClient, 'transact'>;
  readonly term: Term;
  /** Asks whoever elects for a greater term; undefined when another process leads. Rejects with the weather. */
  readonly outrank: (number: number) => Promise<Term | undefined>;
}

/** The `NB_Global.external_ids` key that names the leader. */
export const leaderKey = 'hawser:leader';

/**
 * The leader's term is in the database itself, and every transaction of ours waits, with no time to wait, for it to be there: OVSDB
 * commits only what was true at that very moment, on a cluster too, so a deposed leader's last transaction fails however late it
 * comes (docs/decisions/leader-fence.md).
 */
export class LeaderFence implements Fence {
  readonly #options: LeaderFenceOptions;
  #term: Term;

  constructor(options: LeaderFenceOptions) {
    this.#options = options;
    this.#term = options.term;
  }

  operations(): readonly Operation[] {
    return [
      {
        op: 'wait',
        table: 'NB_Global',
        where: [['external_ids', 'includes', { [leaderKey]: tokenOf(this.#term) }]],
        columns: ['_uuid'],
        until: '!=',
        rows: [],
        timeoutMs: 0,
      },
    ];
  }

  async raise(): Promise<'raised' | 'deposed'> {
    for (;;) {
      const known = await this.#read();
      const other = known === undefined ? undefined : termOf(known.ids.get(leaderKey));
      if (other !== undefined && tokenOf(other) !== tokenOf(this.#term) && other.number >= this.#term.number) {
        const term = await this.#options.outrank(other.number);
        if (term === undefined) return 'deposed';
        this.#term = term;
      }
      if (await this.#write(known)) return 'raised';
    }
  }

  async #read(): Promise<{ readonly uuid: string; readonly ids: ReadonlyMap<string, string> } | undefined> {
    const outcome = await this.#options.client.transact(ovnNorthbound, [
      { op: 'select', table: 'NB_Global', where: true, columns: ['_uuid', 'external_ids'] },
    ]);
    if (outcome.status !== 'committed') throw new Error('the leader in the northbound database could not be read');
    const [row] = outcome.results[0].rows;
    return row === undefined ? undefined : { uuid: row._uuid, ids: row.external_ids ?? new Map() };
  }

  /** Only if nobody was faster; false otherwise. */
  async #write(
    known: { readonly uuid: string; readonly ids: ReadonlyMap<string, string> } | undefined,
  ): Promise<boolean> {
    const token = { [leaderKey]: tokenOf(this.#term) };
    const outcome =
      known === undefined
        ? // An emptied database; northd makes this row too, and there can only be one.
          await this.#options.client.transact(ovnNorthbound, [
            { op: 'insert', table: 'NB_Global', row: { external_ids: token } },
          ])
        : await this.#options.client.transact(ovnNorthbound, [
            {
              op: 'wait',
              table: 'NB_Global',
              where: { _uuid: known.uuid },
              columns: ['external_ids'],
              until: '==',
              rows: [{ external_ids: Object.fromEntries(known.ids) }],
              timeoutMs: 0,
            },
            {
              op: 'mutate',
              table: 'NB_Global',
              where: { _uuid: known.uuid },
              mutations: [
                ['external_ids', 'delete', [leaderKey]],
                ['external_ids', 'insert', token],
              ],
            },
          ]);
    return outcome.status === 'committed';
  }
}

function tokenOf({ number, identity }: Term): string {
  return `${number} ${identity}`;
}

function termOf(token: string | undefined): Term | undefined {
  const match = /^(\d+) (.*)$/.exec(token ?? '');
  return match === null ? undefined : { number: Number(match[1]), identity: match[2] ?? '' };
}
