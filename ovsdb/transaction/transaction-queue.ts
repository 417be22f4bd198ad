import { abortReason } from '../abort.ts';
import type { Reply } from '../connection/message.ts';
import type { Session } from '../connection/session.ts';
import { OvsdbError } from '../errors.ts';
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

interface Transaction {
  readonly schema: DatabaseSchema<Tables>;
  readonly operations: readonly AnyOperation[];
  readonly wire: readonly Json[];
  readonly signal: AbortSignal | undefined;
  readonly outcome: PromiseWithResolvers<TransactionOutcome>;
}

/** One that may not go yet. */
interface Kept {
  readonly transaction: Transaction;
  readonly stopListening: () => void;
}

/** Transactions in the order they were asked for, from the call to the reply. */
export class TransactionQueue {
  readonly #options: TransactionQueueOptions;
  #waiting: Kept[] = [];
  #session: Session | undefined;
  #inFlight = 0;

  constructor(options: TransactionQueueOptions) {
    this.#options = options;
  }

  /** Sends operations now, or when they may go. Throws the signal's reason if it is aborted already. */
  add(
    schema: DatabaseSchema<Tables>,
    operations: readonly AnyOperation[],
    signal: AbortSignal | undefined,
  ): Promise<TransactionOutcome> {
    signal?.throwIfAborted();
    const encoded = encodeOperations(schema, operations);
    if (encoded.kind === 'invalid') return Promise.resolve({ status: 'refused', error: encoded.error });
    const wire = encoded.operations;
    const outcome = Promise.withResolvers<TransactionOutcome>();
    const transaction: Transaction = { schema, operations, wire, signal, outcome };
    const session = this.#session;
    const mayGo = session && this.#hasRoom && this.#options.isReady(schema.name);
    // The usual case: nothing waits, so nothing has to be kept for it.
    if (mayGo && this.#waiting.length === 0) this.#send(session, transaction);
    else {
      this.#keep(transaction);
      if (mayGo) this.pump();
    }
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
    for (const { transaction, stopListening } of this.#waiting.splice(0)) {
      stopListening();
      transaction.outcome.reject(error);
    }
  }

  /** Sends what may go. */
  pump(): void {
    const session = this.#session;
    const waiting = this.#waiting;
    if (!session || waiting.length === 0 || !this.#hasRoom) return;
    const held: Kept[] = [];
    const ready = new Map<string, boolean>();
    let looked = 0;
    for (const kept of waiting) {
      if (!this.#hasRoom) break;
      looked++;
      const { name } = kept.transaction.schema;
      const isReady = ready.get(name) ?? this.#options.isReady(name);
      ready.set(name, isReady);
      if (isReady) {
        kept.stopListening();
        this.#send(session, kept.transaction);
      } else held.push(kept);
    }
    this.#waiting = held.concat(waiting.slice(looked));
  }

  get #hasRoom(): boolean {
    return this.#inFlight < this.#options.maxInFlight;
  }

  /** Until it may go, or its signal aborts: then it never took place. */
  #keep(transaction: Transaction): void {
    const { signal, outcome } = transaction;
    const abort = () => {
      this.#waiting = this.#waiting.filter((one) => one !== kept);
      if (signal) outcome.reject(abortReason(signal));
    };
    signal?.addEventListener('abort', abort, { once: true });
    const kept: Kept = { transaction, stopListening: () => signal?.removeEventListener('abort', abort) };
    this.#waiting.push(kept);
  }

  #send(session: Session, { schema, operations, wire, signal, outcome }: Transaction): void {
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
