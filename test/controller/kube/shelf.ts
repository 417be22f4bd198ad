import type { ObjectSink } from '#controller/kube/known-objects.ts';
import type { WatchNotice } from '#controller/kube/watch.ts';

/** A sink that keeps what it was told, and lets a test wait for a state of it instead of for a time. */
export class Shelf<T> implements ObjectSink<T> {
  readonly objects = new Map<string, T>();
  /** `put a`, `remove a`, `synced`: in order. */
  readonly calls: string[] = [];
  readonly notices: WatchNotice[] = [];
  #waiting: (() => void)[] = [];

  put(key: string, object: T): void {
    this.objects.set(key, object);
    this.#record(`put ${key}`);
  }

  remove(key: string): void {
    this.objects.delete(key);
    this.#record(`remove ${key}`);
  }

  synced(): void {
    this.#record('synced');
  }

  readonly notice = (notice: WatchNotice): void => {
    this.notices.push(notice);
    this.#wake();
  };

  count(type: WatchNotice['type']): number {
    return this.notices.filter((notice) => notice.type === type).length;
  }

  get keys(): string[] {
    return [...this.objects.keys()].sort();
  }

  /** Resolves as soon as `holds` does, looking after each call and notice. The test's own time-out is the limit. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  #record(call: string): void {
    this.calls.push(call);
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
