import { connect } from '#ovsdb/client.ts';
import { ovnNorthbound } from '#ovsdb/schemas/ovn-northbound.ts';

/** A value `requested-chassis` had on a port, since when (ms since the epoch); undefined while the port was not there. */
export interface ChassisRequest {
  readonly port: string;
  readonly requested: string | undefined;
  readonly at: number;
}

/** Everything `requested-chassis` of any port has been, as another consumer of the northbound database sees it. */
export class PortHistory implements AsyncDisposable {
  readonly requests: ChassisRequest[] = [];
  readonly #close: () => Promise<void>;

  private constructor(close: () => Promise<void>) {
    this.#close = close;
  }

  static async follow(remote: string): Promise<PortHistory> {
    const client = await connect({ remotes: [remote] });
    const replica = await client.replicate(ovnNorthbound, { Logical_Switch_Port: { columns: ['name', 'options'] } });
    const history = new PortHistory(() => client.close());
    replica.onChanges(
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
    return history;
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
