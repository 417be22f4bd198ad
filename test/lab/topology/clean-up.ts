import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { labCgroup, processesIn, removeCgroup } from './cgroups.ts';
import { run } from './command.ts';
import {
  folderOf,
  labMark,
  labOfNamespace,
  labState,
  labs,
  namespacePrefix,
  removeFolder,
  withLabsLock,
} from './lab-folder.ts';

/**
 * Removes what labs left whose owner is gone, however it went. Labs that run or were kept on purpose stay.
 *
 * @returns the ids of the labs it removed.
 */
export function cleanUpDeadLabs(): Promise<string[]> {
  return withLabsLock(async () => {
    const dead: string[] = [];
    // Namespaces without a folder: somebody removed the folder by hand.
    const ids = new Set([...(await labs()), ...namespaces().flatMap((name) => labOfNamespace(name) ?? [])]);
    for (const id of ids) if ((await labState(id)) === 'dead') dead.push(id);
    for (const id of dead) await removeLab(id);
    return dead;
  });
}

/** Takes a lab down whatever its state: its processes, then its namespaces, then its files. Nothing to do is fine. */
export function down(id: string): Promise<void> {
  return withLabsLock(() => removeLab(id));
}

/** Kills the processes that run in these network namespaces and removes the namespaces. */
export async function removeNamespaces(names: readonly string[]): Promise<void> {
  const inodes = inodesOf(names);
  await killAll(() => processes().filter((pid) => networkNamespaceIn(pid, inodes)));
  await deleteNamespaces(names);
}

async function removeLab(id: string): Promise<void> {
  folderOf(id); // Refuses what is not an id before anything is killed.
  const names = namespaces().filter((name) => name.startsWith(namespacePrefix(id)));
  const inodes = inodesOf(names);
  const ours = (pid: number) => carries(pid, labMark(id)) || networkNamespaceIn(pid, inodes);
  // What a container runtime started has neither our environment nor a namespace of ours, but it has our cgroup.
  await killAll(() => [...processes().filter(ours), ...processesIn(labCgroup(id))]);
  await removeCgroup(labCgroup(id));
  await deleteNamespaces(names);
  await removeFolder(id);
}

async function deleteNamespaces(names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await run('ip', ['-batch', '-'], { input: names.map((name) => `netns del ${name}\n`).join('') });
}

/**
 * Kills every process that `find` finds, until there is none. A process is known by what it carries, not by a
 * recorded pid: so none is missed that was started a moment before its starter died, and none hit that reuses a pid.
 */
async function killAll(find: () => readonly number[]): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const found = find().filter((pid) => pid !== process.pid);
    if (found.length === 0) return;
    if (performance.now() > deadline) throw new Error(`processes ${found.join(' ')} do not die`);
    for (const pid of found) kill(pid);
    // The kernel tells only a parent of a death, and these may be anybody's children.
    await delay(5);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function processes(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

function namespaces(): string[] {
  try {
    return readdirSync('/run/netns');
  } catch {
    return []; // `ip netns` makes the folder with the first namespace.
  }
}

function inodesOf(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.map((name) => `net:[${statSync(`/run/netns/${name}`).ino}]`));
}

/** A zombie has no namespace and an empty environment, so it is nobody's here. */
function networkNamespaceIn(pid: number, inodes: ReadonlySet<string>): boolean {
  try {
    return inodes.size > 0 && inodes.has(readlinkSync(`/proc/${pid}/ns/net`));
  } catch {
    return false;
  }
}

function carries(pid: number, mark: Readonly<Record<string, string>>): boolean {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return Object.entries(mark).every(([name, value]) => environment.includes(`${name}=${value}`));
  } catch {
    return false;
  }
}
