import { connect } from '#ovsdb/client.ts';
import { ovnNorthbound } from '#ovsdb/schemas/ovn-northbound.ts';
import { ovnSouthbound } from '#ovsdb/schemas/ovn-southbound.ts';

/** A value `requested-chassis` had on a port, since when (ms since the epoch); undefined while the port was not there. */
export interface ChassisRequest {
  readonly port: string;
  readonly requested: string | undefined;
  readonly at: number;
}

/** What became of every port's chassis, asked for and had, as another consumer of OVN's databases sees it. */
export class PortHistory implements AsyncDisposable {
  readonly requests: ChassisRequest[] = [];
  readonly #chassis = new Map<string, string>();
  readonly #listeners = new Set<() => void>();
  readonly #close: () => Promise<void>;

  private constructor(close: () => Promise<void>) {
    this.#close = close;
  }

  static async follow(remotes: { readonly northbound: string; readonly southbound: string }): Promise<PortHistory> {
    const [northbound, southbound] = await Promise.all([
      connect({ remotes: [remotes.northbound] }),
      connect({ remotes: [remotes.southbound] }),
    ]);
    const history = new PortHistory(async () => {
      await Promise.all([northbound.close(), southbound.close()]);
    });
    const ports = await northbound.replicate(ovnNorthbound, { Logical_Switch_Port: { columns: ['name', 'options'] } });
    const bindings = await southbound.replicate(ovnSouthbound, {
      Chassis: { columns: ['name'] },
      Port_Binding: { columns: ['logical_port', 'chassis'] },
    });
    ports.onChanges(
      ({ changes }) => {
        for (const { before, after } of changes) {
          const port = after?.name ?? before?.name ?? '';
          const requested = after?.options.get('requested-chassis');
          if (requested === before?.options.get('requested-chassis') && after !== undefined) continue;
          history.requests.push({ port, requested, at: Date.now() });
        }
      },
      { initial: true },
    );
    bindings.onChanges(
      () => {
        history.#chassis.clear();
        for (const { logical_port: port, chassis } of bindings.tables.Port_Binding.rows.values()) {
          const name = chassis === undefined ? undefined : bindings.tables.Chassis.get(chassis)?.name;
          if (name !== undefined) history.#chassis.set(port, name);
        }
        for (const listener of history.#listeners) listener();
      },
      { initial: true },
    );
    return history;
  }

  /** Resolves with the chassis that has the port: `wanted` as soon as it has it, or whichever has it when the time is up. */
  async chassisOf(port: string, wanted: string, timeoutMs = 60_000): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => {
      if (this.#chassis.get(port) === wanted) resolve();
    };
    const timer = setTimeout(resolve, timeoutMs);
    this.#listeners.add(look);
    look();
    await promise;
    this.#listeners.delete(look);
    clearTimeout(timer);
    return this.#chassis.get(port) ?? '';
  }

  /** From the last time two chassis were asked for to the last change since, in ms; undefined when either is missing. */
  commitMs(port: string, from: number): number | undefined {
    const requests = this.requests.filter((request) => request.port === port && request.at >= from);
    const moving = requests.findLastIndex(({ requested }) => requested?.includes(','));
    const committed = requests[moving + 1];
    const began = requests[moving];
    return began === undefined || committed === undefined ? undefined : committed.at - began.at;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}
