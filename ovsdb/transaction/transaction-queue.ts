import type { Reply, Session } from '../connection/session.ts';
import { abortReason, OvsdbError } from '../errors.ts';
import type { DatabaseSchema, Tables } from '../schema.ts';
import type { Json } from '../value/encode.ts';
import { type AnyOperation, encodeOperations } from './encode-operations.ts';
import type { TransactionOutcome } from './outcome.ts';
import { OutcomeReader } from './outcome-reader.ts';

export interface TransactionQueueOptions {
  /**
   * Transactions on their way at one time. The server stops reading a client whose replies pile up; holding back here keeps what waits
   * abortable, and its outcome known.
   */
  readonly maxInFlight: number;
  /** May transactions on this database go? */
  readonly isReady: (database: string) => boolean;
}

interface Waiting {
  readonly schema: DatabaseSchema<Tables>;
  readonly operations: readonly AnyOperation[];
  readonly wire: readonly Json[];
  readonly signal: AbortSignal | undefined;
  readonly outcome: PromiseWithResolvers<TransactionOutcome>;
  readonly stopListening: () => void;
}

/** Transactions in the order they were asked for, from the call to the reply. */
export class TransactionQueue {
  readonly #options: TransactionQueueOptions;
  #waiting: Waiting[] = [];
  #session: Session | undefined;
  #inFlight = 0;

  constructor(options: TransactionQueueOptions) {
    this.#options = options;
  }

  async add(
    schema: DatabaseSchema<Tables>,
    operations: readonly AnyOperation[],
    signal: AbortSignal | undefined,
  ): Promise<TransactionOutcome> {
    signal?.throwIfAborted();
    const encoded = encodeOperations(schema, operations);
    if (encoded.kind === 'invalid') return { status: 'refused', error: encoded.error };
    const outcome = Promise.withResolvers<TransactionOutcome>();
    const abort = () => {
      const at = this.#waiting.indexOf(waiting);
      if (at < 0) return;
      this.#waiting.splice(at, 1);
      if (signal) outcome.reject(abortReason(signal));
    };
    signal?.addEventListener('abort', abort, { once: true });
    const stopListening = () => signal?.removeEventListener('abort', abort);
    const waiting: Waiting = { schema, operations, wire: encoded.operations, signal, outcome, stopListening };
    this.#waiting.push(waiting);
    this.pump();
    return outcome.promise;
  }

  up(session: Session): void {
    this.#session = session;
    this.#inFlight = 0;
    this.pump();
  }

  down(): void {
    this.#session = undefined;
  }

  close(error: Error): void {
    for (const { outcome, stopListening } of this.#waiting.splice(0)) {
      stopListening();
      outcome.reject(error);
    }
  }

  /** Sends what may go. */
  pump(): void {
    const session = this.#session;
    if (!session || this.#waiting.length === 0) return;
    const held: Waiting[] = [];
    const ready = new Map<string, boolean>();
    for (const waiting of this.#waiting) {
      const { name } = waiting.schema;
      const isReady = ready.get(name) ?? this.#options.isReady(name);
      ready.set(name, isReady);
      if (isReady && this.#inFlight < this.#options.maxInFlight) this.#send(session, waiting);
      else held.push(waiting);
    }
    this.#waiting = held;
  }

  #send(session: Session, { schema, operations, wire, signal, outcome, stopListening }: Waiting): void {
    stopListening();
    this.#inFlight++;
    const results = new OutcomeReader(schema, operations);
    const cancel = () => session.notify('cancel', [id]);
    const onReply = (reply: Reply | undefined) => {
      signal?.removeEventListener('abort', cancel);
      if (!reply) {
        const cause = new OvsdbError('disconnected', 'the connection ended before the reply');
        outcome.resolve({ status: 'outcomeUnknown', cause });
        return;
      }
      if (session === this.#session) {
        this.#inFlight--;
        if (this.#waiting.length > 0) this.pump();
      }
      if (reply.kind === 'error' && reply.error === 'canceled' && signal?.aborted) outcome.reject(abortReason(signal));
      else outcome.resolve(results.outcome(reply));
    };
    const id = session.send({ method: 'transact', params: [schema.name, ...wire], results, onReply });
    signal?.addEventListener('abort', cancel, { once: true });
  }
}
