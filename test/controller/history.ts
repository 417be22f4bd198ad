import type { Mutation } from '#controller/northbound/differences.ts';
import { formerAddresses } from '#controller/northbound/former-addresses.ts';
import type { ActualRow } from '#controller/northbound/plan.ts';
import { rowUuid } from '#controller/northbound/row-uuid.ts';
import { NorthboundWriter } from '#controller/northbound/writer.ts';
import type { Replay } from '#controller/replay/replay.ts';
import { Invariants, type KeptObject } from './invariants.ts';
import { type Fault, MemoryNorthbound } from './northbound/memory-northbound.ts';
import { freshReplay } from './recordings.ts';

type Json = Readonly<Record<string, unknown>>;

/** One thing that happens to a cluster, its database or the controller. */
export type Step =
  /** `isHurried`: the next step comes before the controller has done more than begin with this one. */
  | { readonly do: 'put' | 'remove'; readonly kind: string; readonly object: Json; readonly isHurried: boolean }
  | { readonly do: 'restart' | 'recompute' | 'loseDatabase' | 'backup' | 'restoreBackup' }
  | { readonly do: 'fault'; readonly fault: Fault }
  | { readonly do: 'dropRow'; readonly table: string; readonly nth: number }
  | { readonly do: 'editPort'; readonly nth: number }
  /** Somebody else's port of this name comes, so that ours is refused, or goes. */
  | { readonly do: 'squat' | 'leave'; readonly port: string };

/** A cluster with a controller on it, and what has to be true of it after every step. */
export class History {
  readonly northbound = new MemoryNorthbound();
  /** What has come about so far, in a few words each: what a history is worth. */
  readonly seen = new Set<string>();
  readonly #makeReplay: () => Replay;
  /** Kind and key → object, as the API server has them. */
  readonly #objects = new Map<string, KeptObject>();
  readonly #invariants = new Invariants();
  #backup = this.northbound.content;
  #replay: Replay;
  #writer: NorthboundWriter;

  private constructor(makeReplay: () => Replay, replay: Replay, writer: NorthboundWriter) {
    this.#makeReplay = makeReplay;
    this.#replay = replay;
    this.#writer = writer;
  }

  static async begin(makeReplay: () => Replay = replayOfTwoSegments): Promise<History> {
    const replay = makeReplay();
    const history: History = new History(
      makeReplay,
      replay,
      new NorthboundWriter(replay.core.engine.board, new MemoryNorthbound(), { sleep }),
    );
    // Long enough for the next batch to be planned meanwhile.
    history.northbound.turns = 2;
    history.#writer = history.#writerOn(replay);
    history.#objects.set(idOf('ClusterNetwork', defaultNetwork), { kind: 'ClusterNetwork', object: defaultNetwork });
    await replay.core.settle();
    await history.#writer.start();
    await history.#settle();
    return history;
  }

  async step(step: Step): Promise<void> {
    switch (step.do) {
      case 'put':
      case 'remove':
        this.#tell(step);
        if (!step.isHurried) break;
        this.#replay.core.engine.runFor(0);
        return;
      case 'restart':
        await this.#restart();
        break;
      case 'recompute':
        this.#replay.core.engine.recompute();
        break;
      case 'loseDatabase':
        this.northbound.restore(new Map());
        break;
      case 'backup':
        this.#backup = this.northbound.content;
        break;
      case 'restoreBackup':
        this.northbound.restore(this.#backup);
        break;
      case 'fault':
        this.northbound.faults.push(step.fault);
        break;
      case 'dropRow': {
        const rows = [...this.northbound.rows(step.table).keys()];
        const uuid = rows[step.nth % Math.max(1, rows.length)];
        if (uuid !== undefined) this.#drop(step.table, uuid);
        break;
      }
      case 'editPort':
        this.#editPort(step.nth);
        break;
      case 'squat':
      case 'leave':
        this.#squat(step.port, step.do === 'squat');
        break;
    }
    const theirs = this.#rowsOfOthers();
    await this.#settle();
    expectSame("rows of somebody else's", this.#rowsOfOthers(), theirs);
    this.#look(step);
    this.#invariants.forget(this.#replay.core);
    this.#invariants.check(this.#objects, this.northbound, this.#replay.core);
  }

  /** A recompute writes nothing, and neither does a controller that starts now, whose rows are the same. */
  async checkFixedPoint(): Promise<void> {
    await this.#calm();
    const { operations } = this.northbound;
    this.#replay.core.engine.recompute();
    await this.#settle();
    expectSame('operations of a recompute', this.northbound.operations - operations, 0);
    const before = await this.#replay.rows();
    const replay = await this.#freshReplay();
    const after = await replay.rows();
    const counts = ({ core }: Replay) => core.allocator.counts('clusternetwork/default');
    // Two that want different rows in one database would write against each other for ever.
    expectSame('addresses in use after a fresh start', counts(replay), counts(this.#replay));
    expectSame('rows after a fresh start', shown(after), shown(before));
    const writer = this.#writerOn(replay);
    await writer.start();
    await writer.idle();
    await writer.close();
    expectSame('operations of a fresh start', this.northbound.operations - operations, 0);
    expectSame('rows in the database', this.#rowsInDatabase(), [...before.keys()].sort());
  }

  /** When every object is gone, nothing is left: no row, no address, nobody who says or waits for anything. */
  async checkNothingIsLeft(): Promise<void> {
    await this.#calm();
    for (const { kind, object } of [...this.#objects.values()]) {
      await this.step({ do: 'remove', kind, object, isHurried: true });
    }
    await this.#settle();
    const { core } = this.#replay;
    const watched = Object.values(core.tables).reduce((sum, table) => sum + table.watched, 0);
    const derived = Object.values(core.tables).reduce((sum, table) => sum + table.derived, 0);
    expectSame(
      'what is left',
      {
        rows: this.#rowsInDatabase(),
        said: core.engine.board.size,
        keys: core.engine.tickets,
        watched,
        derived,
        holders: core.allocator.holders,
        claims: [...core.tables.claims.rows().keys()],
        waiting: this.#writer.waiting,
      },
      { rows: [], said: 0, keys: 0, watched: 0, derived: 0, holders: 0, claims: [], waiting: 0 },
    );
  }

  async end(): Promise<void> {
    await this.#writer.close();
  }

  /** The weather is over, and whoever was in our way has gone. */
  async #calm(): Promise<void> {
    this.northbound.faults = [];
    for (const { _uuid: uuid } of this.#rowsOfOthers()) {
      this.northbound.change([{ op: 'delete', table: 'Logical_Switch', where: { _uuid: String(uuid) } }]);
    }
    await this.#settle();
  }

  #tell({ do: what, kind, object }: Extract<Step, { readonly isHurried: boolean }>): void {
    const id = idOf(kind, object);
    const isClaim = kind === 'IPAMClaim';
    if (what === 'put') {
      // The API server makes an object of a name once, and nobody edits addresses that were given.
      if (isClaim && this.#replay.core.tables.claims.get(keyOf(object)) !== undefined) return;
      this.#objects.set(id, { kind, object });
      this.#replay.apply({ type: 'MODIFIED', kind, object });
    } else if (this.#objects.has(id) && !(isClaim && this.#isClaimHeld(object))) {
      this.#objects.delete(id);
      this.#replay.apply({ type: 'DELETED', kind, object });
    }
    this.#collectGarbage();
    this.#invariants.forget(this.#replay.core);
  }

  /** Claims of VMs that are gone, or that are others now under the same name, go. */
  #collectGarbage(): void {
    const { claims } = this.#replay.core.tables;
    for (const [key, { owner }] of [...claims.rows()]) {
      const isOurs = owner !== undefined && !this.#objects.has(`IPAMClaim ${key}`);
      if (isOurs && !this.#isHeld(owner)) claims.remove(key);
    }
    for (const [id, { kind, object }] of this.#objects) {
      if (kind === 'IPAMClaim' && claims.get(keyOf(object)) === undefined) this.#objects.delete(id);
    }
  }

  /** Its VM is there, or the VM's guest: our finalizer holds it. */
  #isHeld(owner: { readonly name: string; readonly uid: string }): boolean {
    const { vms, vmis } = this.#replay.core.tables;
    const [vm, vmi] = [vms.get(`default/${owner.name}`), vmis.get(`default/${owner.name}`)];
    return vm?.uid === owner.uid || vmi?.uid === owner.uid || vmi?.owner?.uid === owner.uid;
  }

  #isClaimHeld(object: Json): boolean {
    const owner = this.#replay.core.tables.claims.get(keyOf(object))?.owner;
    return owner !== undefined && this.#isHeld(owner);
  }

  #editPort(nth: number): void {
    const ports = [...this.northbound.rows('Logical_Switch_Port').keys()];
    const where = { _uuid: ports[nth % Math.max(1, ports.length)] ?? '' };
    const mutations: readonly Mutation[] = [
      ['options', 'delete', ['requested-chassis']],
      ['options', 'insert', { 'requested-chassis': 'elsewhere', stray: '1' }],
    ];
    this.northbound.change([
      { op: 'mutate', table: 'Logical_Switch_Port', where, mutations },
      { op: 'update', table: 'Logical_Switch_Port', where, row: { addresses: ['unknown'] } },
    ]);
  }

  #squat(port: string, comes: boolean): void {
    const uuid = (table: string) => rowUuid(table, `somebody else's ${port}`);
    const [table, row] = ['Logical_Switch', uuid('Logical_Switch')];
    const child = uuid('Logical_Switch_Port');
    this.northbound.change(
      comes
        ? [
            { op: 'insert', table: 'Logical_Switch_Port', uuid: child, row: { name: port } },
            { op: 'insert', table, uuid: row, row: { name: 'theirs', ports: [child] } },
          ]
        : [{ op: 'delete', table, where: { _uuid: row } }],
    );
  }

  /** What there is to be seen of a cluster in trouble. */
  #look(step: Step): void {
    const { engine, tables } = this.#replay.core;
    for (const { condition } of engine.board.problems) this.seen.add(condition);
    if (tables.claimConflicts.size > 0) this.seen.add('two claims for one address');
    if (this.#writer.parked > 0) this.seen.add('a row that is refused');
    for (const { name, options } of this.northbound.rows('Logical_Switch_Port').values()) {
      const chassis = typeof options === 'object' && 'get' in options ? options.get('requested-chassis') : undefined;
      if (String(chassis).includes(',')) this.seen.add('a migration');
      const [kind, , , furtherNic] = String(name).split('/');
      this.seen.add(`a port of a ${kind}`);
      if (furtherNic !== undefined && (kind === 'vm' || kind === 'pod')) this.seen.add(`a further NIC of a ${kind}`);
    }
    if (this.northbound.rows('Logical_Router').size > 1) this.seen.add('another network');
    if (this.northbound.rows('ACL').size > 0) this.seen.add('a policy');
    if (step.do !== 'put' && step.do !== 'remove' && this.#objects.size > 1) this.seen.add(step.do);
    if (step.do === 'fault') this.seen.add(step.fault);
  }

  async #settle(): Promise<void> {
    await this.#replay.core.settle();
    await this.#letGoOfClaims();
    await this.#writer.idle();
    for (let turns = 0; this.#writer.parked > 0 && turns < 4; turns += 1) {
      await sleep();
      await this.#writer.idle();
    }
  }

  /** As the ClaimKeeper would delete them. */
  async #letGoOfClaims(): Promise<void> {
    const { claims, takenClaims, outlivedClaims } = this.#replay.core.tables;
    for (;;) {
      const over = [...takenClaims.rows().keys(), ...outlivedClaims.rows().keys()];
      if (over.length === 0) return;
      for (const key of over) claims.remove(key);
      this.seen.add('a claim that is let go');
      await this.#replay.core.settle();
    }
  }

  async #restart(): Promise<void> {
    await this.#writer.close();
    this.#replay = await this.#freshReplay();
    this.#writer = this.#writerOn(this.#replay);
    await this.#replay.core.settle();
    await this.#writer.start();
  }

  async #freshReplay(): Promise<Replay> {
    const replay = this.#makeReplay();
    replay.apply({ type: 'DELETED', kind: 'ClusterNetwork', object: defaultNetwork });
    for (const [key, claim] of this.#replay.core.tables.claims.rows()) replay.core.tables.claims.put(key, claim);
    // In another order than they came in.
    for (const { kind, object } of [...this.#objects.values()].reverse()) {
      replay.apply({ type: 'ADDED', kind, object });
    }
    replay.core.allocator.start(await formerAddresses(this.northbound));
    return replay;
  }

  #writerOn(replay: Replay): NorthboundWriter {
    return new NorthboundWriter(replay.core.engine.board, this.northbound, { sleep, fullBatchRows: 2 });
  }

  #drop(table: string, uuid: string): void {
    const parents = this.northbound.referencesTo(uuid);
    const where = (row: string) => ({ _uuid: row });
    if (this.northbound.schema.tables[table]?.isRoot)
      this.northbound.change([{ op: 'delete', table, where: where(uuid) }]);
    for (const { table: parent, uuid: row, column } of parents) {
      this.northbound.change([
        { op: 'mutate', table: parent, where: where(row), mutations: [[column, 'delete', [uuid]]] },
      ]);
    }
  }

  #rowsOfOthers(): readonly ActualRow[] {
    return ['Logical_Switch', 'Logical_Switch_Port'].flatMap((table) =>
      [...this.northbound.rows(table).values()].filter(
        ({ external_ids: ids }) => typeof ids === 'object' && 'size' in ids && ids.size === 0,
      ),
    );
  }

  #rowsInDatabase(): readonly string[] {
    const keyOf = new Map<string, string>();
    const { board } = this.#replay.core.engine;
    for (const table of board.tables()) for (const { key } of board.rows(table)) keyOf.set(rowUuid(table, key), key);
    return this.northbound.tables
      .flatMap((table) => [...this.northbound.rows(table).keys()].map((uuid) => `${table}/${keyOf.get(uuid) ?? uuid}`))
      .sort();
  }
}

/** A network in more segments would take most of the time there is for a history. */
export const replayOfTwoSegments = () => freshReplay({ segmentAddresses: 32_768 });

/** As `freshReplay` begins with it. */
const defaultNetwork: Json = {
  metadata: { name: 'default', uid: 'net-default' },
  spec: { topology: 'overlay', role: 'primary', subnets: ['10.244.0.0/16', 'fd00:10:244::/64'] },
};

/** So many turns that all rows that are refused have been tried once before the first is tried again: the writer is idle in between. */
async function sleep(): Promise<void> {
  for (let turns = 0; turns < 32; turns += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

function idOf(kind: string, object: Json): string {
  return `${kind} ${keyOf(object)}`;
}

function keyOf({ metadata }: Json): string {
  const { namespace = '', name = '' }: { readonly namespace?: string; readonly name?: string } = Object(metadata);
  return `${namespace}/${name}`;
}

function shown(rows: Awaited<ReturnType<Replay['rows']>>): string {
  const ordered = [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(ordered, (_key, value: unknown) => {
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.toSorted();
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  });
}

function expectSame(what: string, found: unknown, wanted: unknown): void {
  const [left, right] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (left !== right) throw new Error(`${what}: ${left} instead of ${right}`);
}
