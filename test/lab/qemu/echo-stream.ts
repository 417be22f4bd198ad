import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { inPlace } from '#test/lab/topology/command.ts';

/** One TCP connection to a guest's echo server (port 7) from a network namespace, kept open over whatever is done to the guest. */
export class EchoStream {
  readonly #client;
  readonly #lines;
  #count = 0;

  constructor(netns: string, ip: string) {
    const [file, ...args] = inPlace('bash', ['-c', `exec 3<>/dev/tcp/${ip}/7; cat <&3 & exec cat >&3`], { netns });
    this.#client = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface(this.#client.stdout)[Symbol.asyncIterator]();
  }

  /** @throws Error when what comes back is not the line just sent, or the connection has ended */
  async roundTrip(): Promise<void> {
    const line = `line ${this.#count++}`;
    this.#client.stdin.write(`${line}\n`);
    const { value } = await this.#lines.next();
    if (value !== line) throw new Error(`sent ${line}, got ${value}`);
  }

  close(): void {
    this.#client.kill();
  }
}
