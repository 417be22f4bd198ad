import type { Socket } from 'node:net';

/**
 * A client of the QEMU Machine Protocol (QEMU docs/interop/qmp-spec.rst) on a connected socket: commands with ids, events
 * as they come. It knows no command by name.
 */
export class QmpClient {
  #socket: Socket;
  #nextId = 0;
  #pending = new Map<number, PromiseWithResolvers<unknown>>();
  #listeners = new Set<(event: QmpEvent | QmpClosed) => void>();
  #closed: QmpClosed | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /**
   * Takes the greeting and negotiates capabilities; from then on the client owns the socket.
   * @throws QmpClosed when QEMU ends before that
   */
  static async open(socket: Socket): Promise<QmpClient> {
    const client = new QmpClient(socket);
    const greeted = Promise.withResolvers<void>();
    let unread = '';
    socket.setEncoding('utf8');
    socket.on('error', () => {}); // 'close' follows and says it.
    socket.on('close', () => {
      client.#close();
      greeted.reject(new QmpClosed());
    });
    socket.on('data', (text: string) => {
      const lines = (unread + text).split('\n');
      unread = lines.pop() ?? '';
      for (const line of lines) {
        const message: QmpMessage = JSON.parse(line);
        if ('QMP' in message) greeted.resolve();
        else client.#take(message);
      }
    });
    await greeted.promise;
    await client.execute('qmp_capabilities');
    return client;
  }

  /**
   * Runs a command and gives what QEMU returned, unparsed.
   * @throws QmpError when QEMU refuses it; QmpClosed when QEMU ends first
   */
  async execute(command: string, args?: Record<string, unknown>): Promise<unknown> {
    if (this.#closed) throw this.#closed;
    const id = this.#nextId++;
    const answer = Promise.withResolvers<unknown>();
    this.#pending.set(id, answer);
    this.#socket.write(`${JSON.stringify({ execute: command, ...(args && { arguments: args }), id })}\n`);
    return answer.promise.catch((error: unknown) => {
      throw error instanceof QmpRefusal ? new QmpError(command, error.kind, error.message) : error;
    });
  }

  /** The events from now on, in order. Ends when QEMU does; a reader that stops reading stops receiving. */
  events(): AsyncIterableIterator<QmpEvent> {
    const queue: QmpEvent[] = [];
    let ended = this.#closed !== undefined;
    let wake = (): void => {};
    const listener = (event: QmpEvent | QmpClosed): void => {
      if (event instanceof QmpClosed) ended = true;
      else queue.push(event);
      wake();
    };
    this.#listeners.add(listener);
    const stop = async (): Promise<IteratorResult<QmpEvent>> => {
      this.#listeners.delete(listener);
      ended = true;
      wake();
      return { done: true, value: undefined };
    };
    const iterator: AsyncIterableIterator<QmpEvent> = {
      next: async () => {
        for (;;) {
          const event = queue.shift();
          if (event) return { done: false, value: event };
          if (ended) return stop();
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      },
      return: stop,
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(message: Exclude<QmpMessage, { QMP: unknown }>): void {
    if ('event' in message) {
      const { event: name, data = {}, timestamp } = message;
      const atMs = timestamp.seconds * 1000 + timestamp.microseconds / 1000;
      for (const listener of this.#listeners) listener({ name, data, atMs });
      return;
    }
    const { id } = message;
    const answer = id === undefined ? undefined : this.#pending.get(id);
    if (id === undefined || !answer) throw new Error(`QMP answer to nothing: ${JSON.stringify(message)}`);
    this.#pending.delete(id);
    if ('error' in message) answer.reject(new QmpRefusal(message.error.class, message.error.desc));
    else answer.resolve(message.return);
  }

  #close(): void {
    this.#closed = new QmpClosed();
    for (const answer of this.#pending.values()) answer.reject(this.#closed);
    this.#pending.clear();
    for (const listener of this.#listeners) listener(this.#closed);
  }
}

export interface QmpEvent {
  /** `STOP`, `RESUME`, `MIGRATION`, … */
  name: string;
  data: Record<string, unknown>;
  /** QEMU's wall clock, milliseconds since the epoch with microseconds as the fraction. */
  atMs: number;
}

/** QEMU refused a command; `kind` is QMP's error class, mostly `GenericError`. */
export class QmpError extends Error {
  override readonly name = 'QmpError';
  readonly kind: string;

  constructor(command: string, kind: string, description: string) {
    super(`${command}: ${description}`);
    this.kind = kind;
  }
}

/** QEMU has gone, or closed the connection. */
export class QmpClosed extends Error {
  override readonly name = 'QmpClosed';

  constructor() {
    super('QEMU closed the QMP connection');
  }
}

class QmpRefusal extends Error {
  readonly kind: string;

  constructor(kind: string, description: string) {
    super(description);
    this.kind = kind;
  }
}

type QmpMessage =
  | { QMP: unknown }
  | { event: string; data?: Record<string, unknown>; timestamp: { seconds: number; microseconds: number } }
  | { return: unknown; id?: number }
  | { error: { class: string; desc: string }; id?: number };
