import { connect } from '#ovsdb/client.ts';
import { ovnNorthbound } from '#ovsdb/schemas/ovn-northbound.ts';

/** The logical switch ports of a northbound database, as another of its clients sees them come and go. */
export class PortRows implements AsyncDisposable {
  /** Port → its `requested-chassis`. */
  readonly #requested = new Map<string, string | undefined>();
  readonly #waiting = new Map<(ports: PortRows) => boolean, (at: number) => void>();
  readonly #close: () => Promise<void>;

  private constructor(close: () => Promise<void>) {
    this.#close = close;
  }

  static async follow(remote: string): Promise<PortRows> {
    const client = await connect({ remotes: [remote] });
    const replica = await client.replicate(ovnNorthbound, { Logical_Switch_Port: { columns: ['name', 'options'] } });
    const ports = new PortRows(() => client.close());
    replica.onChanges(
      ({ changes }) => {
        for (const { before, after } of changes) {
          if (before !== undefined) ports.#requested.delete(before.name);
          if (after !== undefined) ports.#requested.set(after.name, after.options.get('requested-chassis'));
        }
        for (const [holds, resolve] of ports.#waiting) {
          if (!holds(ports)) continue;
          ports.#waiting.delete(holds);
          resolve(performance.now());
        }
      },
      { initial: true },
    );
    return ports;
  }

  get size(): number {
    return this.#requested.size;
  }

  has(port: string): boolean {
    return this.#requested.has(port);
  }

  requestedChassis(port: string): string | undefined {
    return this.#requested.get(port);
  }

  /** When it first holds, as `performance.now()`; now, when it does already. */
  until(holds: (ports: PortRows) => boolean): Promise<number> {
    if (holds(this)) return Promise.resolve(performance.now());
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#waiting.set(holds, resolve);
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}
