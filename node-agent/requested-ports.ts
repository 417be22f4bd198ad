import {
  type ParsedPort,
  type PortBindingRow,
  type PortProblem,
  type PortRequest,
  parsePortBinding,
} from './port-request.ts';

/**
 * The ports that are requested for this chassis right now, found by name and by the pod that may plug them. `bindings.ts`
 * feeds it from the southbound database; whoever serves a request waits here for an event and never polls.
 */
export class RequestedPorts {
  readonly #rows = new Map<string, ParsedPort>();
  readonly #byName = new Map<string, PortRequest>();
  readonly #byPod = new Map<string, PortRequest>();
  readonly #waiting = new Map<string, Set<(request: PortRequest) => void>>();
  readonly #listeners = new Map<string, () => void>();
  #changed: (before: PortRequest | undefined, now: PortRequest | undefined) => void = () => {};

  /** The row with this UUID is now this, or gone. Rows that are not Hawser's are taken as gone. */
  put(uuid: string, row: PortBindingRow | undefined): void {
    const before = this.#rows.get(uuid);
    const after = row && parsePortBinding(row);
    if (before?.kind === 'request') this.#forget(before.request);
    this.#rows.delete(uuid);
    if (after) this.#rows.set(uuid, after);
    if (after?.kind === 'request') this.#learn(after.request);
    for (const name of new Set([nameOf(before), nameOf(after)])) {
      if (name !== undefined) this.#listeners.get(name)?.();
    }
    this.#followed(requestOf(before), requestOf(after));
  }

  /** Calls back with every port that is requested from now on, changed or given up, and what it was before. One listener. */
  follow(changed: (before: PortRequest | undefined, now: PortRequest | undefined) => void): void {
    this.#changed = changed;
    for (const request of this.#byName.values()) changed(undefined, request);
  }

  /** A port deleted and made again may arrive in either order: what counts is what its name stands for now. */
  #followed(before: PortRequest | undefined, after: PortRequest | undefined): void {
    if (before && before.logicalPort !== after?.logicalPort) this.#changed(before, this.get(before.logicalPort));
    if (after) this.#changed(before?.logicalPort === after.logicalPort ? before : undefined, after);
  }

  /** Calls back whenever the port of this name is requested, changed or given up. */
  onChange(logicalPort: string, listener: () => void): void {
    this.#listeners.set(logicalPort, listener);
  }

  clear(): void {
    for (const uuid of [...this.#rows.keys()]) this.put(uuid, undefined);
  }

  get(logicalPort: string): PortRequest | undefined {
    return this.#byName.get(logicalPort);
  }

  forPod(podUid: string, interfaceName: string): PortRequest | undefined {
    return this.#byPod.get(podKey(podUid, interfaceName));
  }

  all(): Iterable<PortRequest> {
    return this.#byName.values();
  }

  /** Ports that are requested with a row nobody can serve. */
  *problems(): Iterable<PortProblem> {
    for (const row of this.#rows.values()) if (row.kind === 'problem') yield row.problem;
  }

  /** Resolves as soon as the port is requested; rejects with the signal's reason. */
  wait(logicalPort: string, signal: AbortSignal): Promise<PortRequest> {
    return this.#wait(nameKey(logicalPort), this.get(logicalPort), signal);
  }

  /** Resolves as soon as a port is requested that this pod may plug as this interface; rejects with the signal's reason. */
  waitForPod(podUid: string, interfaceName: string, signal: AbortSignal): Promise<PortRequest> {
    return this.#wait(podKey(podUid, interfaceName), this.forPod(podUid, interfaceName), signal);
  }

  #wait(key: string, now: PortRequest | undefined, signal: AbortSignal): Promise<PortRequest> {
    if (now) return Promise.resolve(now);
    const { promise, resolve, reject } = Promise.withResolvers<PortRequest>();
    const waiters = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiters.add(resolve));
    const giveUp = () => reject(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    return promise.finally(() => {
      signal.removeEventListener('abort', giveUp);
      waiters.delete(resolve);
      if (waiters.size === 0 && this.#waiting.get(key) === waiters) this.#waiting.delete(key);
    });
  }

  #learn(request: PortRequest): void {
    this.#byName.set(request.logicalPort, request);
    this.#wake(nameKey(request.logicalPort), request);
    for (const [podUid, interfaceName] of request.pods) {
      this.#byPod.set(podKey(podUid, interfaceName), request);
      this.#wake(podKey(podUid, interfaceName), request);
    }
  }

  /** An entry may already belong to another row: a port deleted and made again arrives in either order. */
  #forget(request: PortRequest): void {
    if (this.#byName.get(request.logicalPort) === request) this.#byName.delete(request.logicalPort);
    for (const [podUid, interfaceName] of request.pods) {
      const key = podKey(podUid, interfaceName);
      if (this.#byPod.get(key) === request) this.#byPod.delete(key);
    }
  }

  #wake(key: string, request: PortRequest): void {
    for (const resolve of this.#waiting.get(key) ?? []) resolve(request);
  }
}

function nameOf(parsed: ParsedPort | undefined): string | undefined {
  return parsed?.kind === 'request' ? parsed.request.logicalPort : parsed?.problem.logicalPort;
}

function requestOf(row: ParsedPort | undefined): PortRequest | undefined {
  return row?.kind === 'request' ? row.request : undefined;
}

function nameKey(logicalPort: string): string {
  return `port ${logicalPort}`;
}

function podKey(podUid: string, interfaceName: string): string {
  return `pod ${podUid} ${interfaceName}`;
}
