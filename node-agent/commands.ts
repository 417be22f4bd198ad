import { spawn } from 'node:child_process';

/** Runs one program to its end and gives its standard output. Rejects with `CommandFailed`. */
export type Run = (
  file: string,
  args: readonly string[],
  options?: {
    readonly stdin?: string;
    readonly signal?: AbortSignal;
    /** What errors call it; the command line when absent. */
    readonly label?: string;
    /** Told what it prints, as it comes. */
    readonly onOutput?: (text: string) => void;
  },
) => Promise<string>;

/** A program of the host (`ip`, `ethtool`, `nsenter`) could not be started or ended with a status other than 0. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  /** Undefined when it could not be started or was killed. */
  readonly status: number | undefined;
  readonly stderr: string;

  constructor(label: string, status: number | undefined, stderr: string, options?: ErrorOptions) {
    super(`${label}: ${stderr.trim() || `ended with status ${status}`}`, options);
    this.status = status;
    this.stderr = stderr;
  }
}

export const run: Run = (file, args, options = {}) => {
  const { stdin = '', signal, label = [file, ...args].join(' '), onOutput } = options;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(file, args, { stdio: 'pipe', ...(signal && { signal }) });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    onOutput?.(text);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.on('error', (cause) => reject(new CommandFailed(label, undefined, String(cause), { cause })));
  child.on('close', (status, killedBy) => {
    if (status === 0) resolve(stdout);
    else reject(new CommandFailed(label, status ?? undefined, stderr || (killedBy ? `was ended by ${killedBy}` : '')));
  });
  // A program that ends before it has read its input breaks the pipe; its exit status says what was wrong.
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);
  return promise;
};
