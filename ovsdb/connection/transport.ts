/**
 * The only thing a session knows of sockets: a byte stream in both directions. `socket-transport.ts` makes one of node:net
 * and node:tls; tests make their own.
 */
export interface Transport {
  /** False: the buffer is full; hold back until `onDrain`. */
  write(text: string): boolean;
  /** Stop and go on delivering `onData`. */
  pause(): void;
  resume(): void;
  /** Ends at once; `onClose` follows. */
  destroy(): void;
  /** Ends after what was written has gone out. */
  end(): void;
}

export interface TransportEvents {
  readonly onData: (chunk: Buffer) => void;
  readonly onDrain: () => void;
  /** Once, however it ended. */
  readonly onClose: (cause: Error | undefined) => void;
}

/** Opens a transport, or rejects: with the socket's error, or the signal's reason. */
export type Dial = (remote: string, events: TransportEvents, signal: AbortSignal) => Promise<Transport>;
