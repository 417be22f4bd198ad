import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withFileLock } from '#test/setup/file-lock.ts';

/** All labs of the machine keep their sockets, databases and logs below this folder, one folder per lab. */
export const labsFolder = '/run/hawser-lab';

/** Every network namespace of a lab starts with this; ids have no hyphen, so no lab's prefix begins another's. */
export const namespacePrefix = (id: string): string => `hawser-${id}-`;

/** The lab a network namespace belongs to, if it is one of a lab's. */
export const labOfNamespace = (netns: string): string | undefined => /^hawser-([a-z0-9]{1,16})-/.exec(netns)?.[1];

/** Every process of a lab has this in its environment, and so have the processes those start. */
export const labMark = (id: string): Record<string, string> => ({ HAWSER_LAB: id });

/** Whose a lab is: `live` while the process that started it runs, `kept` when that said so, else `dead`. */
export type LabState = 'live' | 'kept' | 'dead';

/** A lab with this id is there already. */
export class LabExists extends Error {
  override readonly name = 'LabExists';
  readonly id: string;
  readonly state: LabState;

  constructor(id: string, state: LabState) {
    super(`lab ${id} is there already (${state})`);
    this.id = id;
    this.state = state;
  }
}

export function folderOf(id: string): string {
  // Unix socket paths end at 107 bytes, and ids are part of namespace names.
  if (!/^[a-z0-9]{1,16}$/.test(id)) throw new Error(`a lab's id is 1 to 16 small letters and digits, not ${id}`);
  return join(labsFolder, id);
}

/**
 * Makes the folder of a new lab that belongs to this process. The caller holds the labs lock.
 *
 * The folder appears under its name with its owner written in it, so one without an owner never exists.
 *
 * @throws LabExists
 */
export async function claimFolder(id: string): Promise<string> {
  const folder = folderOf(id);
  if (existsSync(folder)) throw new LabExists(id, await labState(id));
  const unnamed = await mkdtemp(join(labsFolder, '.new-'));
  await writeFile(join(unnamed, 'owner'), `${process.pid} ${startTime(process.pid)}\n`);
  await rename(unnamed, folder);
  return folder;
}

/** From now on the lab stays when its owner ends. */
export async function markKept(id: string): Promise<void> {
  await writeFile(join(folderOf(id), 'owner'), 'kept\n');
}

export async function labState(id: string): Promise<LabState> {
  const owner = await readFile(join(folderOf(id), 'owner'), 'utf8').catch(() => '');
  if (owner === 'kept\n') return 'kept';
  const [pid = '', start] = owner.trim().split(' ');
  return start !== undefined && startTime(Number(pid)) === start ? 'live' : 'dead';
}

/** The ids of all labs on the machine, whatever their state. */
export async function labs(): Promise<string[]> {
  return (await readdir(labsFolder).catch(() => [])).filter((name) => !name.startsWith('.'));
}

export async function removeFolder(id: string): Promise<void> {
  await rm(folderOf(id), { recursive: true, force: true });
}

/**
 * Runs `work` while no other process creates or removes a lab. The lock is on the folder of all labs, which is made for
 * it and goes away with the last lab.
 */
export async function withLabsLock<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    await mkdir(labsFolder, { recursive: true });
    const { ino } = await stat(labsFolder);
    const attempt = await withFileLock(labsFolder, async () => {
      // The holder before us may have removed the very folder whose lock we waited for.
      const now = await stat(labsFolder).catch(() => undefined);
      if (now?.ino !== ino) return undefined;
      try {
        return { result: await work() };
      } finally {
        await rmdir(labsFolder).catch(() => {}); // Refused while there are labs in it.
      }
    });
    if (attempt) return attempt.result;
  }
}

/** Start time of a process in clock ticks since boot (proc(5), /proc/[pid]/stat field 22): tells it from a later one. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Field 2, the command name in parentheses, may hold spaces and parentheses itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended; whose child it was may take its time to notice.
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
