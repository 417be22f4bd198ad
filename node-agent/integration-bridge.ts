import type { OpenVswitchTables } from '#ovsdb/schemas/open-vswitch.ts';
import type { Operation } from '#ovsdb/transaction/operation.ts';
import type { TransactionOutcome } from '#ovsdb/transaction/outcome.ts';
import { type PluggedPort, plugOperations, unplugOperations } from './plug-operations.ts';
import { readMarks, type SwitchPort } from './switch-port.ts';

type Row<Table extends keyof OpenVswitchTables> = OpenVswitchTables[Table]['row'];
export type BridgeRow = Pick<Row<'Bridge'>, 'name'>;
export type PortRow = Pick<Row<'Port'>, 'name'>;
export type InterfaceRow = Pick<Row<'Interface'>, 'name' | 'external_ids' | 'error'>;

export type Transact = (operations: readonly Operation<OpenVswitchTables>[]) => Promise<TransactionOutcome<unknown>>;

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
  readonly #portUuids = new Map<string, string>();
  readonly #interfaces = new Map<string, OurInterface>();
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(name: string, transact: Transact) {
    this.#name = name;
    this.#transact = transact;
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
    if (device !== undefined) for (const wake of [...(this.#waiting.get(device) ?? [])]) wake();
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
    await this.#commit(plugOperations(this.#bridge(), port, this.ports()));
  }

  /**
   * Takes those ports of ours off the bridge that match.
   * @throws SwitchFailed
   */
  async unplug(matches: (port: PluggedPort) => boolean): Promise<void> {
    const leaving = [...this.ports()].filter(matches);
    if (leaving.length > 0) await this.#commit(unplugOperations(this.#bridge(), leaving));
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

  #find(device: string): OurInterface | undefined {
    for (const found of this.#interfaces.values()) if (found.port.device === device) return found;
    return undefined;
  }

  #bridge(): string {
    if (this.#uuid === undefined) throw new SwitchFailed(`this node has no bridge ${this.#name}`);
    return this.#uuid;
  }

  async #commit(operations: readonly Operation<OpenVswitchTables>[]): Promise<void> {
    const outcome = await this.#transact(operations);
    switch (outcome.status) {
      case 'committed':
        return;
      case 'refused':
        throw new SwitchFailed(`this node's Open vSwitch database refused: ${outcome.error.message}`);
      case 'outcomeUnknown':
        throw new SwitchFailed(`the connection to this node's Open vSwitch database broke: ${outcome.cause.message}`);
    }
  }
}

interface OurInterface {
  readonly port: SwitchPort;
  readonly isInstalled: boolean;
  /** Why ovs-vswitchd could not open the device. */
  readonly error: string | undefined;
}
