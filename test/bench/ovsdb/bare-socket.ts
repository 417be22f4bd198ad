import { connect, type Socket } from 'node:net';

/**
 * The raw limit: hand-written bytes over a bare socket. It frames replies by the way ovsdb-server 3.1 ends them, and reads nothing in them: not fit for use, and nothing can be
 * faster.
 */
export class BareSocket {
  readonly #socket: Socket;
  #tail = '';
  #replies = 0;
  #waiting: { readonly count: number; readonly done: () => void } | undefined;
  /** Called at the first byte of each chunk. */
  onBytes: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => this.#count(chunk));
  }

  static async open(remote: string): Promise<BareSocket> {
    const socket = connect(remote.slice('unix:'.length));
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new BareSocket(socket);
  }

  write(text: string): void {
    this.#socket.write(text);
  }

  get replies(): number {
    return this.#replies;
  }

  /** Resolves when this many replies have come since the socket was opened. */
  replied(count: number): Promise<void> {
    if (this.#replies >= count) return Promise.resolve();
    return new Promise((done) => {
      this.#waiting = { count, done };
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #count(chunk: Buffer): void {
    this.onBytes();
    const text = this.#tail + chunk.toString('latin1');
    for (let at = text.indexOf(replyEnd); at >= 0; at = text.indexOf(replyEnd, at + replyEnd.length)) this.#replies++;
    this.#tail = text.slice(-(replyEnd.length - 1));
    if (this.#waiting && this.#replies >= this.#waiting.count) {
      this.#waiting.done();
      this.#waiting = undefined;
    }
  }
}

const replyEnd = '"error":null}';
