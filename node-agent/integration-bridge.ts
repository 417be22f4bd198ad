import type { OpenVswitchTables } from '#ovsdb/schemas/open-vswitch.ts';
import type { Operation } from '#ovsdb/transaction/operation.ts';
import type { OperationResult, TransactionOutcome } from '#ovsdb/transaction/outcome.ts';
import { fenceOperations, type PluggedPort, plugOperations, unplugOperations } from './plug-operations.ts';
import { readMarks, type SwitchPort } from './switch-port.ts';

type Row<Table extends keyof OpenVswitchTables> = OpenVswitchTables[Table]['row'];
export type RootRow = Pick<Row<'Open_vSwitch'>, 'cur_cfg'>;
export type BridgeRow = Pick<Row<'Bridge'>, 'name'>;
export type PortRow = Pick<Row<'Port'>, 'name'>;
export type InterfaceRow = Pick<Row<'Interface'>, 'name' | 'external_ids' | 'error'>;

export type Transact = (operations: readonly Operation<OpenVswitchTables>[]) => Promise<TransactionOutcome>;

/** This node's switch did not take a port: it refused, or it is away. The message says which. */
export class SwitchFailed extends Error {
  override readonly name = 'SwitchFailed';
}

/** The port was taken off the bridge while somebody waited for it: a newer sandbox has it, or it was deleted. */
export class Superseded extends Error {
  override readonly name = 'Superseded';

  constructor(device: string) {
    super(`port ${device} was taken off the integration bridge: a newer sandbox has its logical port`);
  }
}

/**
 * The ports of ours on `br-int`: what the node's Open_vSwitch database says of them, and the transactions that add and remove
 * them. `local-switch.ts` feeds it. Interfaces without our marks are not seen here, so nothing can happen to them.
 */
export class IntegrationBridge {
  readonly #name: string;
  readonly #transact: Transact;
  #uuid: string | undefined;
  #root: { readonly uuid: string; readonly curCfg: number } | undefined;
  /** Devices taken off the bridge → the `cur_cfg` from which on ovs-vswitchd has let go of them. */
  readonly #releasing = new Map<string, number>();
  readonly #portUuids = new Map<string, string>();
  readonly #interfaces = new Map<string, OurInterface>();
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(name: string, transact: Transact) {
    this.#name = name;
    this.#transact = transact;
  }

  putRoot(uuid: string, row: RootRow | undefined): void {
    this.#root = row && { uuid, curCfg: row.cur_cfg };
    for (const [device, cfg] of this.#releasing) if (row && row.cur_cfg >= cfg) this.#releasing.delete(device);
    this.#wake(rootChanged);
  }

  putBridge(uuid: string, row: BridgeRow | undefined): void {
    if (row?.name === this.#name) this.#uuid = uuid;
    else if (this.#uuid === uuid) this.#uuid = undefined;
  }

  putPort(uuid: string, before: PortRow | undefined, after: PortRow | undefined): void {
    if (before && this.#portUuids.get(before.name) === uuid) this.#portUuids.delete(before.name);
    if (after) this.#portUuids.set(after.name, uuid);
  }

  putInterface(uuid: string, row: InterfaceRow | undefined): void {
    const before = this.#interfaces.get(uuid);
    const port = row && readMarks(row.name, row.external_ids);
    if (row && port) {
      const isInstalled = row.external_ids.get('ovn-installed') === 'true';
      this.#interfaces.set(uuid, { port, isInstalled, error: row.error });
    } else {
      this.#interfaces.delete(uuid);
    }
    const device = port?.device ?? before?.port.device;
    if (device !== undefined) this.#wake(device);
  }

  /** What is on the bridge of ours; each with the UUID of its `Port`. */
  *ports(): Iterable<PluggedPort> {
    for (const { port } of this.#interfaces.values()) {
      const portUuid = this.#portUuids.get(port.device);
      if (portUuid !== undefined) yield { ...port, portUuid };
    }
  }

  /** Whether ovn-controller has the port's flows in place (`ovn-installed`). */
  isInstalled(device: string): boolean {
    return this.#find(device)?.isInstalled ?? false;
  }

  /**
   * Puts a port on the bridge, in place of any of ours with the same logical port. Returns when the database has it.
   * @throws SwitchFailed
   */
  async plug(port: SwitchPort): Promise<void> {
    await this.withdraw(port.device);
    await this.#commit(plugOperations(this.#bridge(), port, this.ports()));
  }

  /**
   * Takes the port of this device off the bridge, if there is one, and returns when ovs-vswitchd has let go of the device. Before that
   * no device of its name may be made or plugged: seeing removal and return at once, ovs-vswitchd would go on with the old
   * device, and nothing would ever pass.
   * @throws SwitchFailed
   */
  async withdraw(device: string): Promise<void> {
    await this.unplug((port) => port.device === device);
    await this.#released(device);
  }

  /**
   * Takes those ports of ours off the bridge that match.
   * @throws SwitchFailed
   */
  async unplug(matches: (port: PluggedPort) => boolean): Promise<void> {
    const leaving = [...this.ports()].filter(matches);
    if (leaving.length === 0) return;
    const root = this.#root;
    if (!root) throw new SwitchFailed("this node's Open vSwitch database is empty");
    const results = await this.#commit([...unplugOperations(this.#bridge(), leaving), ...fenceOperations(root.uuid)]);
    const cfg = selectedNumber(results.at(-1), 'next_cfg');
    if (cfg === undefined || (this.#root?.curCfg ?? cfg) >= cfg) return;
    for (const { device } of leaving) this.#releasing.set(device, cfg);
  }

  /**
   * Changes the switch otherwise than by a port of ours; returns when ovs-vswitchd has done it.
   * @throws SwitchFailed
   */
  async reconfigure(operations: (rootUuid: string) => readonly Operation<OpenVswitchTables>[]): Promise<void> {
    const root = this.#root;
    if (!root) throw new SwitchFailed("this node's Open vSwitch database is empty");
    const results = await this.#commit([...operations(root.uuid), ...fenceOperations(root.uuid)]);
    const cfg = selectedNumber(results.at(-1), 'next_cfg') ?? 0;
    const signal = AbortSignal.timeout(releaseTimeoutMs);
    while ((this.#root?.curCfg ?? 0) < cfg) {
      if (signal.aborted) throw new SwitchFailed('ovs-vswitchd has not taken up a change: is it running?');
      await this.#changed(rootChanged, signal);
    }
  }

  /**
   * Resolves when ovn-controller has the port's flows in place.
   * @throws Superseded, SwitchFailed when ovs-vswitchd cannot use the device, or the signal's reason.
   */
  async installed(device: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const found = this.#find(device);
      if (!found) throw new Superseded(device);
      if (found.isInstalled) return;
      if (found.error !== undefined) throw new SwitchFailed(`ovs-vswitchd cannot use ${device}: ${found.error}`);
      await this.#changed(device, signal);
    }
  }

  #changed(device: string, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiters = this.#waiting.get(device) ?? new Set();
    this.#waiting.set(device, waiters.add(resolve));
    signal.addEventListener('abort', () => resolve(), { once: true });
    return promise.finally(() => {
      waiters.delete(resolve);
      if (waiters.size === 0 && this.#waiting.get(device) === waiters) this.#waiting.delete(device);
    });
  }

  async #released(device: string): Promise<void> {
    const signal = AbortSignal.timeout(releaseTimeoutMs);
    while (this.#releasing.has(device)) {
      if (signal.aborted) throw new SwitchFailed(`ovs-vswitchd has not let go of ${device}: is it running?`);
      await this.#changed(rootChanged, signal);
    }
  }

  #wake(key: string): void {
    for (const wake of [...(this.#waiting.get(key) ?? [])]) wake();
  }

  #find(device: string): OurInterface | undefined {
    for (const found of this.#interfaces.values()) if (found.port.device === device) return found;
    return undefined;
  }

  #bridge(): string {
    if (this.#uuid === undefined) throw new SwitchFailed(`this node has no bridge ${this.#name}`);
    return this.#uuid;
  }

  async #commit(operations: readonly Operation<OpenVswitchTables>[]): Promise<readonly OperationResult[]> {
    const outcome = await this.#transact(operations);
    switch (outcome.status) {
      case 'committed':
        return outcome.results;
      case 'refused':
        throw new SwitchFailed(`this node's Open vSwitch database refused: ${outcome.error.message}`);
      case 'outcomeUnknown':
        throw new SwitchFailed(`the connection to this node's Open vSwitch database broke: ${outcome.cause.message}`);
    }
  }
}

/** What waits on the root row waits under this name, which is no device's. */
const rootChanged = 'Open_vSwitch row';

/** ovs-vswitchd reconfigures in milliseconds. */
const releaseTimeoutMs = 10_000;

function selectedNumber(result: OperationResult | undefined, column: string): number | undefined {
  const [row] = result && 'rows' in result ? result.rows : [];
  const value: unknown = row && Object.entries(row).find(([name]) => name === column)?.[1];
  return typeof value === 'number' ? value : undefined;
}

interface OurInterface {
  readonly port: SwitchPort;
  readonly isInstalled: boolean;
  /** Why ovs-vswitchd could not open the device. */
  readonly error: string | undefined;
}
