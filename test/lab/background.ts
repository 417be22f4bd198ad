import { spawn } from 'node:child_process';
import { labMark } from './topology/lab-folder.ts';

const marker = 'HAWSER_LAB_IN_BACKGROUND';

/** Whether this process is the one that stays when the lab is kept. */
export function isInBackground(): boolean {
  return process.env[marker] !== undefined;
}

/**
 * Runs this same command in a process that outlives us, since the API server, kubelets and KubeVirt of the lab live in it. It carries
 * the lab's mark, so `down` ends it with everything else. Resolves with its exit status as soon as it has said all it has to say.
 */
export async function inBackground(labId: string): Promise<number> {
  const child = spawn(process.execPath, process.argv.slice(1), {
    detached: true,
    env: { ...process.env, ...labMark(labId), [marker]: '1' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  child.stdout?.pipe(process.stdout);
  child.stderr?.pipe(process.stderr);
  const interrupt = () => child.kill('SIGINT');
  process.on('SIGINT', interrupt);
  const { promise, resolve } = Promise.withResolvers<number>();
  child.once('message', (status) => resolve(Number(status)));
  child.once('exit', (code) => resolve(code ?? 1));
  const status = await promise;
  process.off('SIGINT', interrupt);
  if (child.connected) child.disconnect();
  child.stdout?.destroy();
  child.stderr?.destroy();
  child.unref();
  return status;
}

/** Lets the command return with this status; what we would still print goes nowhere. */
export function leaveForeground(status: number): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  process.send?.(status);
}
