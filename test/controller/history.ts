import { formerAddresses } from '#controller/northbound/former-addresses.ts';
import { rowUuid } from '#controller/northbound/row-uuid.ts';
import { NorthboundWriter } from '#controller/northbound/writer.ts';
import type { Replay } from '#controller/replay/replay.ts';
import { type Fault, MemoryNorthbound } from './northbound/memory-northbound.ts';
import { freshReplay } from './recordings.ts';

type Json = Readonly<Record<string, unknown>>;

/** One thing that happens to a cluster, its database or the controller. */
export type Step =
  | { readonly do: 'put' | 'remove'; readonly kind: string; readonly object: Json }
  | { readonly do: 'restart' | 'recompute' | 'loseDatabase' | 'backup' | 'restoreBackup' }
  | { readonly do: 'fault'; readonly fault: Fault }
  | { readonly do: 'dropRow'; readonly table: string; readonly nth: number }
  | { readonly do: 'editPort'; readonly nth: number };

/** A cluster with a controller on it, and what has to be true of it after every step. */
export class History {
  readonly northbound = new MemoryNorthbound();
  readonly #makeReplay: () => Replay;
  /** Kind and key → object, as the API server has them. */
  readonly #objects = new Map<string, { readonly kind: string; readonly object: Json }>();
  /** VM UID and IPAMClaim → the addresses of that NIC, from when it first had them. */
  readonly #addressesOfVms = new Map<string, string>();
  #backup = this.northbound.content;
  #replay: Replay;
  #writer: NorthboundWriter;

  private constructor(makeReplay: () => Replay, replay: Replay, writer: NorthboundWriter) {
    this.#makeReplay = makeReplay;
    this.#replay = replay;
    this.#writer = writer;
  }

  static async begin(makeReplay: () => Replay = freshReplay): Promise<History> {
    const replay = makeReplay();
    const history: History = new History(
      makeReplay,
      replay,
      new NorthboundWriter(replay.core.engine.board, new MemoryNorthbound(), { sleep }),
    );
    // Long enough for the next batch to be planned meanwhile.
    history.northbound.turns = 2;
    history.#writer = history.#writerOn(replay);
    await replay.core.settle();
    await history.#writer.start();
    await history.#settle();
    return history;
  }

  async step(step: Step): Promise<void> {
    switch (step.do) {
      case 'put':
        this.#objects.set(idOf(step.kind, step.object), step);
        this.#replay.apply({ type: 'MODIFIED', ...step });
        break;
      case 'remove':
        if (this.#objects.delete(idOf(step.kind, step.object))) this.#replay.apply({ type: 'DELETED', ...step });
        break;
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
      case 'editPort': {
        const ports = [...this.northbound.rows('Logical_Switch_Port').keys()];
        const uuid = ports[step.nth % Math.max(1, ports.length)];
        const where = { _uuid: uuid ?? '' };
        const options: readonly [string, 'insert' | 'delete', object][] = [
          ['options', 'delete', ['requested-chassis']],
          ['options', 'insert', { 'requested-chassis': 'elsewhere', stray: '1' }],
        ];
        this.northbound.change([
          {
            op: 'mutate',
            table: 'Logical_Switch_Port',
            where,
            mutations: options.map(([c, m, v]) => [c, m, Object(v)]),
          },
          { op: 'update', table: 'Logical_Switch_Port', where, row: { addresses: ['unknown'] } },
        ]);
        break;
      }
    }
    await this.#settle();
    this.#checkInvariants();
  }

  /** A recompute writes nothing, and neither does a controller that starts now, whose rows are the same. */
  async checkFixedPoint(): Promise<void> {
    this.northbound.faults = [];
    const { operations } = this.northbound;
    this.#replay.core.engine.recompute();
    await this.#settle();
    expectSame('operations of a recompute', this.northbound.operations - operations, 0);
    const before = await this.#replay.rows();
    const replay = await this.#freshReplay();
    const writer = this.#writerOn(replay);
    await replay.core.settle();
    await writer.start();
    await writer.idle();
    const after = await replay.rows();
    await writer.close();
    const counts = ({ core }: Replay) => core.allocator.counts('clusternetwork/default');
    expectSame('addresses in use after a fresh start', counts(replay), counts(this.#replay));
    expectSame('rows after a fresh start', shown(after), shown(before));
    expectSame('operations of a fresh start', this.northbound.operations - operations, 0);
    expectSame('rows in the database', this.#rowsInDatabase(), [...before.keys()].sort());
  }

  /** When every object is gone, nothing is left: no row, no address, nobody who says or waits for anything. */
  async checkNothingIsLeft(): Promise<void> {
    this.northbound.faults = [];
    for (const { kind, object } of [...this.#objects.values()]) await this.step({ do: 'remove', kind, object });
    this.#replay.apply({ type: 'DELETED', kind: 'ClusterNetwork', object: defaultNetwork });
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

  #checkInvariants(): void {
    this.#checkMigrations();
    const claims = [...this.#replay.core.tables.claims.rows().values()];
    const alive = new Set(claims.map(({ owner, name }) => `${owner?.uid} ${name}`));
    for (const nic of this.#addressesOfVms.keys()) if (!alive.has(nic)) this.#addressesOfVms.delete(nic);
    const owners = new Map<string, string>();
    for (const { name, addresses, external_ids: ids } of this.northbound.rows('Logical_Switch_Port').values()) {
      if (!Array.isArray(addresses) || addresses[0] === 'router' || typeof ids !== 'object' || !('get' in ids))
        continue;
      const isOutside = ids.get('hawser:attach') === 'outside';
      const [mac = '', ...ips] = String(isOutside ? ids.get('hawser:addresses') : addresses[0]).split(' ');
      for (const address of [mac, ...ips]) {
        const other = owners.get(address);
        if (other !== undefined) throw new Error(`${address} is of ${other} and of ${String(name)}`);
        owners.set(address, String(name));
      }
      const uid = String(ids.get('hawser:uid'));
      if (!String(name).startsWith('vm/')) continue;
      const [, , vm, network = 'default'] = String(name).split('/');
      const nic = `${uid} ${vm}.${network}`;
      const known = this.#addressesOfVms.get(nic) ?? ips.join(' ');
      if (known !== ips.join(' ')) throw new Error(`${String(name)} had ${known} and now has ${ips.join(' ')}`);
      this.#addressesOfVms.set(nic, known);
    }
    // The address of a stopped VM is nobody else's.
    for (const claim of claims) {
      const [vm, network] = claim.name.split('.');
      const port = `vm/${claim.namespace}/${vm}${network === 'default' ? '' : `/${network}`}`;
      for (const ip of claim.ips) {
        const owner = owners.get(ip.split('/')[0] ?? '');
        if (owner !== undefined && owner !== port) {
          throw new Error(`${ip} of IPAMClaim ${claim.name} is of ${owner}`);
        }
      }
    }
  }

  /** While a migration runs and its target pod lives, both nodes have the port; the objects say so without any feature's help. */
  #checkMigrations(): void {
    for (const { kind, object } of this.#objects.values()) {
      if (kind !== 'VirtualMachineInstanceMigration') continue;
      const { spec, status }: { readonly spec?: { vmiName?: string }; readonly status?: { phase?: string } } =
        Object(object);
      const name = spec?.vmiName ?? '';
      const source = this.#nodeOf('VirtualMachineInstance', name, 'status');
      const target = this.#nodeOf('Pod', `virt-launcher-${name}-1`, 'spec');
      const port = this.northbound.row('Logical_Switch_Port', rowUuid('Logical_Switch_Port', `vm/default/${name}`));
      if (port === undefined || source === undefined || target === undefined || source === target) continue;
      const { options } = port;
      const chassis = typeof options === 'object' && 'get' in options ? options.get('requested-chassis') : undefined;
      const isUnderWay = status?.phase === 'Running' || status?.phase === 'Scheduling';
      expectSame(`requested-chassis of ${name}`, chassis, isUnderWay ? `${source},${target}` : source);
    }
  }

  #nodeOf(kind: string, name: string, part: 'spec' | 'status'): string | undefined {
    const found = Object(this.#objects.get(`${kind} default/${name}`)?.object);
    const { nodeName }: { readonly nodeName?: string } = Object(found[part]);
    return nodeName;
  }

  async #settle(): Promise<void> {
    await this.#replay.core.settle();
    await this.#writer.idle();
    for (let turns = 0; this.#writer.parked > 0 && turns < 20; turns += 1) {
      await sleep();
      await this.#writer.idle();
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

  #rowsInDatabase(): readonly string[] {
    const keyOf = new Map<string, string>();
    const { board } = this.#replay.core.engine;
    for (const table of board.tables()) for (const { key } of board.rows(table)) keyOf.set(rowUuid(table, key), key);
    return this.northbound.tables
      .flatMap((table) => [...this.northbound.rows(table).keys()].map((uuid) => `${table}/${keyOf.get(uuid) ?? uuid}`))
      .sort();
  }
}

const defaultNetwork: Json = { metadata: { name: 'default', uid: 'net-default' } };

/** Retries come in the next turn. */
const sleep = () => new Promise<void>((resolve) => setImmediate(resolve));

function idOf(kind: string, { metadata }: Json): string {
  const { namespace = '', name = '' }: { readonly namespace?: string; readonly name?: string } = Object(metadata);
  return `${kind} ${namespace}/${name}`;
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
