import { connect, type Socket } from 'node:net';
import { Splitter } from '#ovsdb/wire/splitter.ts';

/**
 * The logical switch ports of a northbound database, as another of its clients sees them come and go. It reads as little as
 * `BareWatch` does, so that what is measured is when a row is there, and not how long a client takes to make something of it.
 */
export class PortRows implements Disposable {
  readonly #socket: Socket;
  /** Row UUID → the port's name. */
  readonly #names = new Map<string, string>();
  /** Port → its `requested-chassis`. */
  readonly #requested = new Map<string, string | undefined>();
  #pods = 0;
  readonly #waiting = new Map<(ports: PortRows) => boolean, (at: number) => void>();

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** `remote`: `unix:PATH`, of a database without ports or with those it shows at once. */
  static async follow(remote: string): Promise<PortRows> {
    const socket = connect({ path: remote.replace(/^unix:/, '') });
    const ports = new PortRows(socket);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const splitter = new Splitter({ wantsPieces: () => false });
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      const at = performance.now();
      splitter.push(chunk);
      for (let piece = splitter.next(); piece !== undefined; piece = splitter.next()) {
        if (piece.kind !== 'message') continue;
        const { id, method, params, result }: Message = JSON.parse(piece.text);
        if (method === 'echo') socket.write(JSON.stringify({ id, result: params, error: null }));
        else ports.#take((method === 'update2' ? params?.[1] : result)?.Logical_Switch_Port ?? {}, at);
        if (id === 'ports') resolve();
      }
    });
    const columns = ['name', 'options'];
    const params = ['OVN_Northbound', 'ports', { Logical_Switch_Port: [{ columns }] }];
    socket.write(JSON.stringify({ id: 'ports', method: 'monitor_cond', params }));
    await promise;
    return ports;
  }

  /** How many of them are pods'. */
  get pods(): number {
    return this.#pods;
  }

  has(port: string): boolean {
    return this.#requested.has(port);
  }

  requestedChassis(port: string): string | undefined {
    return this.#requested.get(port);
  }

  /** When the bytes come with which it first holds, as `performance.now()`; now, when it does already. */
  until(holds: (ports: PortRows) => boolean): Promise<number> {
    if (holds(this)) return Promise.resolve(performance.now());
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#waiting.set(holds, resolve);
    return promise;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #take(rows: Readonly<Record<string, RowUpdate>>, at: number): void {
    for (const [uuid, { initial, insert, modify }] of Object.entries(rows)) {
      const row = initial ?? insert;
      const name = row?.name ?? this.#names.get(uuid) ?? '';
      if (row !== undefined) {
        this.#names.set(uuid, name);
        this.#pods += isOfPod(name);
        this.#requested.set(name, chassisIn(row));
      } else if (modify === undefined) {
        this.#names.delete(uuid);
        this.#pods -= isOfPod(name);
        this.#requested.delete(name);
      } else {
        // Of a map it has only the entries that changed, and those that went as they were.
        const chassis = chassisIn(modify);
        if (chassis !== undefined)
          this.#requested.set(name, chassis === this.#requested.get(name) ? undefined : chassis);
      }
    }
    for (const [holds, resolve] of this.#waiting) {
      if (!holds(this)) continue;
      this.#waiting.delete(holds);
      resolve(at);
    }
  }
}

interface PortColumns {
  readonly name?: string;
  readonly options?: readonly ['map', readonly (readonly [string, string])[]];
}

/** ovsdb-server(7), section 4.1.14, "Update2 Notification". */
interface RowUpdate {
  readonly initial?: PortColumns;
  readonly insert?: PortColumns;
  readonly modify?: PortColumns;
}

type Ports = Readonly<Record<string, Readonly<Record<string, RowUpdate>>>>;

interface Message {
  readonly id: unknown;
  readonly method?: string;
  readonly params?: readonly Ports[];
  readonly result?: Ports;
}

function chassisIn({ options }: PortColumns): string | undefined {
  return options?.[1].find(([key]) => key === 'requested-chassis')?.[1];
}

function isOfPod(port: string): 0 | 1 {
  return port.startsWith('pod/') ? 1 : 0;
}
