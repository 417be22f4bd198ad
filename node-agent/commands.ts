import { spawn } from 'node:child_process';

/** Runs one program to its end and gives its standard output. Rejects with `CommandFailed`. */
export type Run = (
  file: string,
  args: readonly string[],
  options?: { readonly stdin?: string; readonly signal?: AbortSignal },
) => Promise<string>;

/** A program of the host (`ip`, `ethtool`, `nsenter`) could not be started or ended with a status other than 0. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  readonly stderr: string;

  constructor(command: string, stderr: string, options?: ErrorOptions) {
    super(`${command}: ${stderr.trim() || 'failed'}`, options);
    this.stderr = stderr;
  }
}

export const run: Run = (file, args, { stdin = '', signal } = {}) => {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const command = [file, ...args].join(' ');
  const child = spawn(file, args, { stdio: 'pipe', ...(signal && { signal }) });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.on('error', (cause) => reject(new CommandFailed(command, String(cause), { cause })));
  child.on('close', (status, killedBy) => {
    if (status === 0) resolve(stdout);
    else reject(new CommandFailed(command, stderr || `ended with ${killedBy ?? `status ${status}`}`));
  });
  // A program that ends before it has read its input breaks the pipe; its exit status says what was wrong.
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);
  return promise;
};
