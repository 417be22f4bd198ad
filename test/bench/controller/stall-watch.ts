import { monitorEventLoopDelay } from 'node:perf_hooks';

const resolutionMs = 1;

type Histogram = ReturnType<typeof monitorEventLoopDelay>;

/** The longest that anything has had to wait for its turn of the event loop, but for the times in which nobody looks. */
export class StallWatch {
  #histogram: Histogram = started();
  #worstMs = 0;

  /** In milliseconds. */
  get worstMs(): number {
    return Math.max(this.#worstMs, this.#histogram.max / 1e6 - resolutionMs);
  }

  pause(): void {
    this.#histogram.disable();
    this.#worstMs = this.worstMs;
  }

  /** With another histogram: one that is enabled again counts the time in which it was not. */
  resume(): void {
    this.#histogram = started();
  }
}

function started(): Histogram {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  return histogram;
}
