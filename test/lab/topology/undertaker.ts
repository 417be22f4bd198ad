import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/**
 * A child that takes a lab down when this process ends without having done so itself: Ctrl-C, a crash, kill -9.
 *
 * It is a shell that reads its standard input. The kernel closes that when we die; only then does it become a Node that
 * cleans up. It is in a session of its own, so Ctrl-C does not reach it. The next run's `cleanUpDeadLabs()` is there for
 * when even the undertaker was killed.
 */
export class Undertaker {
  #shell: ChildProcess;
  #ended: Promise<unknown>;

  constructor() {
    const cleanUp = fileURLToPath(new URL('./clean-up-main.ts', import.meta.url));
    const script = 'read -r word; [ "$word" = dismissed ] || exec "$0" "$@"';
    this.#shell = spawn('sh', ['-c', script, process.execPath, cleanUp], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#ended = once(this.#shell, 'exit');
    this.#shell.stdin?.on('error', () => {}); // Somebody killed it; there is nobody to dismiss.
    this.#shell.unref();
  }

  /** The lab is gone, or is to stay: nothing will be cleaned up. */
  async dismiss(): Promise<void> {
    this.#shell.ref();
    this.#shell.stdin?.end('dismissed\n');
    await this.#ended;
  }
}
