import { OvsdbError } from '../errors.ts';
import type { Json } from '../value/encode.ts';
import type { BulkHead } from '../wire/bulk-head.ts';
import type { Message, Piece } from '../wire/piece.ts';
import { Splitter } from '../wire/splitter.ts';
import { parseMessage, parseMessageExactly, type Reply, replyOf } from './message.ts';
import { nextProbeStep, type ProbeLimits } from './probe.ts';
import type { Dial, Transport } from './transport.ts';

/** Takes the rows of one long message as they come. */
export interface RowSink {
  row(table: string, uuid: string, text: string): void;
}

/** Takes the results of one long reply to a transaction as they come; the rows of a select before its own result, which shows none. */
export interface ResultSink {
  result(operationIndex: number, text: string): void;
  selectedRow(operationIndex: number, text: string): void;
}

export interface Request {
  readonly method: string;
  readonly params: readonly Json[];
  /**
   * Called in the order of the stream: nothing that came after the reply has been handled yet. Called with `undefined` if the
   * connection ended first.
   */
  readonly onReply: (reply: Reply | undefined) => void;
  /** For the reply to a monitor request. */
  readonly rows?: RowSink;
  /** For the reply to a transaction. */
  readonly results?: ResultSink;
  /** A long silence before this reply is normal. */
  readonly isDump?: boolean;
}

/** What is left of a request when it has been sent: its params may be large, and are nobody's any more. */
type AwaitedReply = Omit<Request, 'method' | 'params'>;

export interface Notification {
  readonly method: string;
  readonly params: readonly unknown[];
  /** The params again, with integers beyond 2^53 exact. */
  readonly reparse: () => readonly unknown[];
}

export interface SessionOptions extends ProbeLimits {
  /** A notification, in the order of the stream. */
  readonly onNotification: (notification: Notification) => void;
  /** Where the rows of a long update for this monitor go. */
  readonly rowsOf: (monitor: unknown) => RowSink | undefined;
  readonly onClose: (cause: Error) => void;
}

/** Bytes are handled for this long before timers and other sockets get a turn; twice, where a read follows in the same turn. */
const sliceMs = 2;
const piecesPerLook = 8;

const settled = Promise.resolve();

/** Opens a JSON-RPC session (RFC 7047 section 4) to one remote. Rejects as `dial` does. */
export async function openSession(
  dial: Dial,
  remote: string,
  options: SessionOptions,
  signal: AbortSignal,
): Promise<Session> {
  const session = new Session(options);
  const transport = await dial(
    remote,
    {
      onData: (chunk) => session.receive(chunk),
      onDrain: () => session.drained(),
      onClose: (cause) => session.closed(cause ?? new OvsdbError('disconnected', `${remote} closed the connection`)),
    },
    signal,
  );
  session.start(transport);
  return session;
}

export class Session {
  readonly #options: SessionOptions;
  #transport: Transport | undefined;
  #closeCause: Error | undefined;

  readonly #splitter: Splitter;
  /** Chunks that arrived between slices. */
  readonly #chunks: Buffer[] = [];
  #isPumping = false;
  #isPaused = false;

  /** Who gets the pieces of the message being cut: a request's reply, or a monitor's update. */
  #bulkRequest: AwaitedReply | undefined;
  #bulkRows: RowSink | undefined;

  #nextId = 0;
  readonly #requests = new Map<number, AwaitedReply>();
  #dumpsDue = 0;
  #outgoing = '';
  #isFlushDue = false;
  readonly #flushNow = () => this.#flush();
  #isBlocked = false;

  #lastReceivedMs = performance.now();
  #probedMs: number | undefined;
  #probeTimer: NodeJS.Timeout | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#splitter = new Splitter({
      wantsPieces: (head) => this.#startBulk(head),
    });
  }

  get isOpen(): boolean {
    return this.#closeCause === undefined;
  }

  /** Requests sent whose replies have not come. */
  get outstanding(): number {
    return this.#requests.size;
  }

  start(transport: Transport): void {
    this.#transport = transport;
    this.#flush();
    if (this.#options.probeMs > 0) this.#probe();
  }

  /** Sends a request; gives its id. On a closed session the reply is `undefined` at once. */
  send({ method, params, ...awaited }: Request): number {
    const id = this.#nextId++;
    if (!this.isOpen) {
      queueMicrotask(() => awaited.onReply(undefined));
      return id;
    }
    this.#requests.set(id, awaited);
    if (awaited.isDump) this.#dumpsDue++;
    this.#write({ id, method, params });
    return id;
  }

  /** Like `send`, as a promise; use it where the order against what follows the reply does not matter. */
  request(method: string, params: readonly Json[]): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const onReply = (reply: Reply | undefined) => {
        if (reply) resolve(reply);
        else reject(this.#closeCause ?? new OvsdbError('disconnected', 'the connection ended'));
      };
      this.send({ method, params, onReply });
    });
  }

  notify(method: string, params: readonly Json[]): void {
    if (this.isOpen) this.#write({ id: null, method, params });
  }

  /** Ends the session: `cause` is what `onClose` is told. */
  close(cause: Error): void {
    this.#transport?.destroy();
    this.closed(cause);
  }

  // From the transport.

  receive(chunk: Buffer): void {
    if (!this.isOpen) return;
    this.#lastReceivedMs = performance.now();
    this.#chunks.push(chunk);
    if (!this.#isPumping) this.#pump();
  }

  drained(): void {
    this.#isBlocked = false;
    this.#flush();
  }

  closed(cause: Error): void {
    if (!this.isOpen) return;
    this.#closeCause = cause;
    clearTimeout(this.#probeTimer);
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    this.#chunks.length = 0;
    for (const request of requests) request.onReply(undefined);
    this.#options.onClose(cause);
  }

  // Incoming: chunks are cut and handled strictly in order, in slices of time.

  #pump(): void {
    this.#isPumping = true;
    const sliceEnd = performance.now() + sliceMs;
    let pieces = 0;
    try {
      while (this.isOpen) {
        const piece = this.#splitter.next();
        if (!piece) {
          const chunk = this.#chunks.shift();
          if (!chunk) break;
          this.#splitter.push(chunk);
          continue;
        }
        this.#handle(piece);
        if (++pieces % piecesPerLook === 0 && performance.now() > sliceEnd) {
          this.#giveWay();
          return;
        }
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#isPumping = false;
    if (this.#isPaused) {
      this.#isPaused = false;
      this.#transport?.resume();
    }
  }

  /** Everything else gets its turn before the next slice. */
  #giveWay(): void {
    if (!this.#isPaused) {
      this.#isPaused = true;
      this.#transport?.pause();
    }
    setImmediate(() => this.#pump());
  }

  #fail(error: unknown): void {
    if (!(error instanceof OvsdbError)) throw error;
    this.close(error);
  }

  /** Is there someone to take the pieces of this message? */
  #startBulk(head: BulkHead): boolean {
    this.#bulkRequest = undefined;
    this.#bulkRows = undefined;
    if (head.method !== undefined && head.method !== null) this.#bulkRows = this.#options.rowsOf(head.monitor);
    else {
      this.#bulkRequest = this.#answeredBy(head);
      this.#bulkRows = this.#bulkRequest?.rows;
    }
    return head.shape === 'tables' ? this.#bulkRows !== undefined : this.#bulkRequest?.results !== undefined;
  }

  /** The request a long reply belongs to, if that is certain. */
  #answeredBy({ id, shape }: BulkHead): AwaitedReply | undefined {
    if (typeof id === 'number') return this.#requests.get(id);
    // The id is still to come. Monitor requests are answered in their order; transactions are not.
    if (shape === 'tables') return [...this.#requests.values()].find(({ rows }) => rows !== undefined);
    const [only, ...others] = [...this.#requests.values()].filter(({ results }) => results !== undefined);
    return others.length === 0 ? only : undefined;
  }

  #handle(piece: Piece): void {
    switch (piece.kind) {
      case 'row':
        this.#bulkRows?.row(piece.table, piece.uuid, piece.text);
        return;
      case 'result':
        this.#bulkRequest?.results?.result(piece.operationIndex, piece.text);
        return;
      case 'selected row':
        this.#bulkRequest?.results?.selectedRow(piece.operationIndex, piece.text);
        return;
      case 'message':
        this.#handleMessage(piece);
    }
  }

  #handleMessage({ text, head }: Message): void {
    const message = parseMessage(text);
    if (message.method !== undefined && message.method !== null) {
      if (typeof message.method !== 'string' || !Array.isArray(message.params)) {
        throw new OvsdbError('protocol', `not a request: ${text.slice(0, 200)}`);
      }
      if (message.method === 'echo' && message.id !== null && message.id !== undefined) {
        this.#write({ id: message.id, result: message.params, error: null });
        return;
      }
      const reparse = () => {
        const { params } = parseMessageExactly(text);
        return Array.isArray(params) ? params : [];
      };
      this.#options.onNotification({ method: message.method, params: message.params, reparse });
      return;
    }
    const request = typeof message.id === 'number' ? this.#requests.get(message.id) : undefined;
    if (head && request !== this.#bulkRequest) {
      throw new OvsdbError('protocol', `rows of a reply whose id turned out to be ${message.id}`);
    }
    // A reply to nothing: of a probe, or of a request that was given up.
    if (!request || typeof message.id !== 'number') return;
    this.#requests.delete(message.id);
    if (request.isDump) this.#dumpsDue--;
    request.onReply(replyOf(message, text));
  }

  // Outgoing: everything of one turn goes out in one write.

  #write(message: object): void {
    this.#outgoing += JSON.stringify(message);
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    // `queueMicrotask` would make a resource for async_hooks of each.
    void settled.then(this.#flushNow);
  }

  #flush(): void {
    this.#isFlushDue = false;
    if (this.#isBlocked || !this.#transport || this.#outgoing === '') return;
    const text = this.#outgoing;
    this.#outgoing = '';
    this.#isBlocked = !this.#transport.write(text);
  }

  // Liveness.

  #probe(): void {
    const nowMs = performance.now();
    const state = { lastReceivedMs: this.#lastReceivedMs, probedMs: this.#probedMs, isDumpDue: this.#dumpsDue > 0 };
    let step = nextProbeStep(state, this.#options, nowMs);
    if (step.do === 'give up') {
      this.close(new OvsdbError('disconnected', `no sign of life for ${Math.round(step.silentMs)} ms`));
      return;
    }
    if (step.do === 'probe') {
      this.#probedMs = nowMs;
      this.#write({ id: 'probe', method: 'echo', params: [] });
      step = { do: 'wait', forMs: this.#options.probeMs };
    }
    this.#probeTimer = setTimeout(() => this.#probe(), Math.max(1, step.forMs));
    this.#probeTimer.unref();
  }
}
