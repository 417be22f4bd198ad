import { spawn } from 'node:child_process';
import { resolve } from 'node:path';

/** Where a command runs: everything but its name and arguments. */
export interface Place {
  /** Network namespace, by its name under /run/netns or an absolute path; the caller's own when absent. */
  readonly netns?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A command ended with another status than 0; `stderr` is what it had to say. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  readonly status: number | NodeJS.Signals;
  readonly stderr: string;

  constructor(commandLine: string, status: number | NodeJS.Signals, stderr: string) {
    super(`${commandLine}: ${stderr.trim() || `ended with ${status}`}`);
    this.status = status;
    this.stderr = stderr;
  }
}

/**
 * Runs a command to its end and gives its standard output.
 *
 * @throws CommandFailed when its status is not 0.
 */
export async function run(
  command: string,
  args: readonly string[] = [],
  place: Place & { readonly input?: string } = {},
): Promise<string> {
  const [file, ...rest] = inPlace(command, args, place);
  const child = spawn(file, rest, { env: { ...process.env, ...place.env }, stdio: 'pipe' });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on('error', () => {}); // The command ended without reading its input; its status says whether that is bad.
  child.stdin.end(place.input ?? '');
  const status = await new Promise<number | NodeJS.Signals>((fulfil, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => fulfil(code ?? signal ?? 0));
  });
  if (status !== 0) throw new CommandFailed([command, ...args].join(' '), status, Buffer.concat(stderr).toString());
  return Buffer.concat(stdout).toString();
}

/**
 * The words that run `command` in its network namespace. `nsenter` and not `ip netns exec`: that one also gives the
 * command a mount namespace with a fresh /sys, which hides the cgroup mounts. It execs, so the pid is the command's own.
 */
export function inPlace(command: string, args: readonly string[], place: Place): [string, ...string[]] {
  return place.netns === undefined
    ? [command, ...args]
    : ['nsenter', `--net=${resolve('/run/netns', place.netns)}`, '--', command, ...args];
}
