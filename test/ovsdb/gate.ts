import { socketDial } from '#ovsdb/connection/socket-transport.ts';
import type { Dial, Transport } from '#ovsdb/connection/transport.ts';

/** A dial whose connection ends when the gate closes, and comes back when it opens. */
export class Gate {
  #opened = Promise.resolve();
  #open: () => void = () => {};
  #transport: Transport | undefined;

  readonly dial: Dial = async (remote, events, signal) => {
    await this.#opened;
    this.#transport = await socketDial(undefined)(remote, events, signal);
    return this.#transport;
  };

  close(): void {
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
    this.#transport?.destroy();
  }

  open(): void {
    this.#open();
  }

  /** Ends the connection; the next is let through. */
  cut(): void {
    this.#transport?.destroy();
  }
}
