import type { Readable } from 'node:stream';
import type { KubeApi } from '#controller/kube/api.ts';

/** A watch of all pods by a client that does nothing else: no controller can know of a pod earlier. */
export class BareWatch implements Disposable {
  readonly #stream: Readable;
  #unread = '';
  readonly #waiting = new Map<(line: string) => boolean, (at: number) => void>();

  private constructor(stream: Readable) {
    this.#stream = stream;
    stream.setEncoding('utf8').on('data', (chunk: string) => this.#take(chunk));
    stream.on('error', () => undefined);
  }

  static async open(api: KubeApi, resourceVersion: string): Promise<BareWatch> {
    return new BareWatch(await api.stream('/api/v1/pods', { query: { watch: true, resourceVersion } }));
  }

  /** When the bytes come of the first event that is like this; as `performance.now()`. */
  until(isWanted: (line: string) => boolean): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#waiting.set(isWanted, resolve);
    return promise;
  }

  [Symbol.dispose](): void {
    this.#stream.destroy();
  }

  #take(chunk: string): void {
    const at = performance.now();
    const lines = (this.#unread + chunk).split('\n');
    this.#unread = lines.pop() ?? '';
    for (const line of lines) {
      for (const [isWanted, resolve] of this.#waiting) {
        if (!isWanted(line)) continue;
        this.#waiting.delete(isWanted);
        resolve(at);
      }
    }
  }
}
