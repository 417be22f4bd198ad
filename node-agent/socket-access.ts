import { mkdir, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Somebody but root could connect, or put a socket of theirs in this one's place. The message says what to put right. */
export class SocketExposed extends Error {
  override readonly name = 'SocketExposed';
  /** Of the answer to a request. */
  readonly statusCode = 403;
}

/**
 * Listens on a unix socket that only root reaches: whoever can plug a port is on the network of its owner. The kernel compares the
 * peer's credentials with the socket's owner and mode in every connect(2) (unix(7), "Pathname socket ownership and permissions"); that
 * these are still as they were made is for `throwIfOthersReach` to check before every request (docs/decisions/socket-access.md).
 * @param listen on this path; resolves when it does.
 * @throws SocketExposed when the folder is not root's alone to write to.
 */
export async function listenForRoot(path: string, listen: (path: string) => Promise<unknown>): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  throwIfExposed(folderProblem(await stat(dirname(path)), path));
  await rm(path, { force: true }); // left behind by a kill -9
  const before = process.umask(0o177);
  try {
    await listen(path);
  } finally {
    process.umask(before);
  }
}

/** @throws SocketExposed when others than root could connect to this socket, or put one of theirs in its place. */
export async function throwIfOthersReach(path: string): Promise<void> {
  const [socket, folder] = await Promise.all([stat(path), stat(dirname(path))]);
  throwIfExposed(folderProblem(folder, path) ?? socketProblem(socket, path));
}

/** Owner and permission bits of a file. */
interface FileAccess {
  readonly uid: number;
  readonly mode: number;
}

/** Others may search the folder; whoever may write to it could put a socket of theirs in this one's place. */
function folderProblem({ uid, mode }: FileAccess, path: string): string | undefined {
  if (uid === root && (mode & writableByOthers) === 0) return undefined;
  return `the folder of ${path} is not root's alone to write to (owner ${uid}, mode ${octal(mode)}): chown it to 0 and chmod it to 700`;
}

function socketProblem({ uid, mode }: FileAccess, path: string): string | undefined {
  if (uid === root && (mode & anythingForOthers) === 0) return undefined;
  return `${path} is not root's alone (owner ${uid}, mode ${octal(mode)}): chown it to 0 and chmod it to 600`;
}

function throwIfExposed(problem: string | undefined): void {
  if (problem !== undefined) throw new SocketExposed(problem);
}

const root = 0;
const writableByOthers = 0o022;
const anythingForOthers = 0o077;

function octal(mode: number): string {
  return (mode & 0o777).toString(8);
}
