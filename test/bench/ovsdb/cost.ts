import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface Cost {
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
  readonly output: string;
}

// Python knows wait4; every program is measured by it, ours and the peers alike.
const wait4 = `
import json, os, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)
output = child.stdout.read()
_, status, usage = os.wait4(child.pid, 0)
assert status == 0, status
print(json.dumps({"cpuSeconds": usage.ru_utime + usage.ru_stime, "peakRssBytes": usage.ru_maxrss * 1024, "output": output}))
`;

/** Runs a program to its end: CPU time of all its threads, and peak RSS. */
export async function costOf(command: string, ...args: readonly string[]): Promise<Cost> {
  const maxBuffer = 1 << 28;
  const { stdout } = await promisify(execFile)('/usr/bin/python3', ['-c', wait4, command, ...args], { maxBuffer });
  return JSON.parse(stdout);
}

export const leastOf = (costs: readonly Cost[]): Cost & { readonly cpuSeconds: number } =>
  costs.reduce((best, cost) => (cost.cpuSeconds < best.cpuSeconds ? cost : best));
