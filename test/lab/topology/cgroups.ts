import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Path, below the mount of each hierarchy, of the cgroups of a lab's nodes. */
export const labCgroup = (labId: string): string => `/hawser-${labId}`;

/**
 * Makes a cgroup in every hierarchy, with the CPUs and memory nodes of its parent, which a new one of cgroup v1 has none of. A kubelet
 * needs its `cgroupRoot` to be there; several kubelets on a machine need different ones, or each removes the others' pods.
 *
 * @param path such as `/hawser-lab/node-a`.
 */
export async function makeCgroup(path: string): Promise<void> {
  const names = path.split('/').filter(Boolean);
  for (const hierarchy of hierarchies()) {
    let parent = hierarchy;
    for (const name of names) {
      // cgroup v2: what a parent does not hand down, its children cannot limit.
      const controllers = await readFile(join(parent, 'cgroup.controllers'), 'utf8').catch(() => '');
      for (const controller of controllers.trim().split(' ').filter(Boolean)) {
        await writeFile(join(parent, 'cgroup.subtree_control'), `+${controller}`).catch(() => {});
      }
      const child = join(parent, name);
      await mkdir(child, { recursive: true });
      for (const file of ['cpuset.cpus', 'cpuset.mems']) {
        if (hierarchy.endsWith('cpuset')) await writeFile(join(child, file), await readFile(join(parent, file)));
      }
      parent = child;
    }
  }
}

/** The processes in a cgroup and those below it, over all hierarchies; without zombies, whom nobody can kill. */
export function processesIn(path: string): ReadonlySet<number> {
  const pids = hierarchies().flatMap((hierarchy) =>
    withDescendants(join(hierarchy, path)).flatMap((cgroup) => {
      try {
        return readFileSync(join(cgroup, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
      } catch {
        return []; // It went meanwhile.
      }
    }),
  );
  return new Set(pids.filter(isAlive));
}

/** Removes a cgroup and those below it, whose processes have been killed. */
export async function removeCgroup(path: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (const cgroup of hierarchies().flatMap((hierarchy) => withDescendants(join(hierarchy, path)).toReversed())) {
    for (;;) {
      const refusal = removalRefused(cgroup);
      if (refusal === undefined) break;
      if (performance.now() > deadline) throw new Error(`${cgroup} cannot be removed: ${refusal}`);
      // A process is in its cgroup until its parent has collected it, and nobody tells when.
      await delay(5);
    }
  }
}

function removalRefused(cgroup: string): string | undefined {
  try {
    rmdirSync(cgroup);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return undefined;
    if (code === 'EBUSY') return 'it is in use';
    throw error;
  }
}

/** Mount points: one each for cgroup v1's controllers (and v2 beside them), or the only one of cgroup v2. */
function hierarchies(): readonly string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return mounts.flatMap((line) => {
    const [, target = '', type = ''] = line.split(' ');
    return /^cgroup2?$/.test(type) ? [target] : [];
  });
}

/** The cgroup itself, and then every other after the one it is in. */
function withDescendants(cgroup: string): readonly string[] {
  if (!existsSync(cgroup)) return [];
  try {
    const children = readdirSync(cgroup, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [cgroup, ...children.flatMap(({ name }) => withDescendants(join(cgroup, name)))];
  } catch {
    return [];
  }
}

/** A zombie has no command line any more. */
function isAlive(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== '';
  } catch {
    return false;
  }
}
