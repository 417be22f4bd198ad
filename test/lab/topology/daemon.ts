import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { inPlace, type Place } from './command.ts';

/** A process the lab keeps running: what to start, where, and how to tell that it can be used. */
export interface DaemonSpec extends Place {
  /** For messages: `node-a: ovs-vswitchd`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Standard output and error are appended here. */
  readonly logFile: string;
  /** Resolves when the daemon can be used. `signal` aborts when the daemon ends or the time is up. */
  readonly ready?: (pid: number, signal: AbortSignal) => Promise<void>;
  /** How long `ready` may take; 30,000 when absent, which only a starved machine needs. */
  readonly readyTimeoutMs?: number;
  /** Told when it ends without having been stopped or killed through this object. */
  readonly onUnexpectedEnd?: (sentence: string) => void;
}

/** How a process ended: its exit status, or the signal that ended it. */
export type ProcessEnd = number | NodeJS.Signals;

/**
 * One long-running process in a process group (and session) of its own, so that Ctrl-C at the terminal does not reach it
 * and a kill reaches all its children. It can be killed and started again, for fault tests.
 */
export class Daemon implements AsyncDisposable {
  readonly name: string;
  readonly logFile: string;
  #spec: DaemonSpec;
  #running: { readonly pid: number; readonly ended: Promise<ProcessEnd>; expected: boolean } | undefined;

  constructor(spec: DaemonSpec) {
    this.#spec = spec;
    this.name = spec.name;
    this.logFile = spec.logFile;
  }

  /** The process id while it runs; also its process group. */
  get pid(): number | undefined {
    return this.#running?.pid;
  }

  /**
   * Starts it and resolves when it is ready.
   *
   * @throws Error with the end of its log when it ends or its time runs out before it is ready; it does not run then.
   */
  async start(): Promise<void> {
    if (this.#running) throw new Error(`${this.name} runs already`);
    const { command, args, env, ready, readyTimeoutMs = 30_000 } = this.#spec;
    const [file, ...rest] = inPlace(command, args, this.#spec);
    const log = openSync(this.logFile, 'a');
    const child = spawn(file, rest, { detached: true, env: { ...process.env, ...env }, stdio: ['ignore', log, log] });
    closeSync(log);
    const ended = new Promise<ProcessEnd>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve(code ?? signal ?? 0));
    });
    if (child.pid === undefined) {
      await ended; // Rejects with the reason why it could not be started.
      throw new Error(`${this.name} has no process id`);
    }
    const running = { pid: child.pid, ended, expected: false };
    this.#running = running;
    const unready = new AbortController();
    const timer = setTimeout(() => unready.abort(new Error(`was not ready in ${readyTimeoutMs} ms`)), readyTimeoutMs);
    void ended.then((end) => {
      this.#running = undefined;
      unready.abort(new Error(`ended with ${end}`));
      if (!running.expected) this.#spec.onUnexpectedEnd?.(`${this.name} ended with ${end}; its log is ${this.logFile}`);
    });
    try {
      if (ready) await Promise.race([ready(child.pid, unready.signal), aborted(unready.signal)]);
    } catch (error) {
      running.expected = true;
      await this.kill();
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`${this.name} ${why}; the end of ${this.logFile}:\n${lastLines(this.logFile)}`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a signal to its process group and resolves when the process has ended. Nothing to do when it does not run. */
  async kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT' = 'SIGKILL'): Promise<void> {
    if (!this.#running) return;
    this.#running.expected = true;
    this.signal(signal);
    await this.#running.ended;
  }

  /** Sends a signal to its process group without waiting: `SIGSTOP` and `SIGCONT` freeze and thaw it. */
  signal(signal: NodeJS.Signals): void {
    if (this.#running) process.kill(-this.#running.pid, signal);
  }

  /** Resolves when it ends, whoever ended it; at once when it does not run. */
  async untilEnd(): Promise<void> {
    await this.#running?.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function lastLines(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-15).join('\n');
}
