import { readFileSync } from 'node:fs';
import type { Daemon } from '#test/lab/topology/daemon.ts';

/** CPU time a daemon has used so far, in seconds, all threads, to 10 ms (proc(5), `USER_HZ` is 100 on Linux). */
export function cpuSeconds(daemon: Daemon): number {
  const stat = readFileSync(`/proc/${daemon.pid}/stat`, 'utf8');
  // The name in parentheses may have blanks in it; utime and stime are the 12th and 13th field after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Resident memory in MiB. */
export function residentMib(daemon: Daemon): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}
