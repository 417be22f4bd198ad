import { randomUUID } from 'node:crypto';
import { chmod, copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

export interface ConfFileOptions {
  /** e.g. `/etc/cni/net.d/10-hawser.conflist`; its presence is what makes the runtime call the node's network ready. */
  readonly path: string;
  readonly conf: object;
  /** How long the agent must have been unable to serve before the file goes: a reconnect is no reason to drain a node. */
  readonly withdrawAfterSeconds: number;
  /** Told when the file was written or removed, or could not be. */
  readonly onOutcome: (outcome: 'written' | 'removed' | { readonly failed: unknown }) => void;
}

/** The node's CNI configuration: there while the agent can serve ADD, and not before. */
export class ConfFile {
  readonly #options: ConfFileOptions;
  /** Undefined until something is known: a file of an earlier agent may be there, and it may still serve. */
  #isWanted: boolean | undefined;
  #withdrawal: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(options: ConfFileOptions) {
    this.#options = options;
  }

  /** Says whether ADD can be served now; saying the same again changes nothing. */
  serving(isServing: boolean): void {
    if (isServing) {
      clearTimeout(this.#withdrawal);
      this.#withdrawal = undefined;
      this.#want(true);
    } else if (this.#isWanted !== false && !this.#withdrawal) {
      this.#withdrawal = setTimeout(() => this.#want(false), this.#options.withdrawAfterSeconds * 1000).unref();
    }
  }

  /** Resolves when what was last wanted is on the disk. */
  async settled(): Promise<void> {
    await this.#work;
  }

  #want(isWanted: boolean): void {
    if (isWanted === this.#isWanted) return;
    this.#isWanted = isWanted;
    this.#withdrawal = undefined;
    this.#work = this.#work.then(() => this.#apply(isWanted));
  }

  async #apply(isWanted: boolean): Promise<void> {
    const { path, conf, onOutcome } = this.#options;
    try {
      if (isWanted) await writeWhole(path, `${JSON.stringify(conf, undefined, 2)}\n`);
      else await rm(path, { force: true });
      onOutcome(isWanted ? 'written' : 'removed');
    } catch (failed) {
      onOutcome({ failed });
    }
  }
}

/** The network configuration list of a node. `cniVersion` is what old runtimes take; new ones choose from `cniVersions`. */
export function networkConf(socket: string, chained: readonly object[]): object {
  return {
    cniVersion: '1.0.0',
    cniVersions: ['0.4.0', '1.0.0', '1.1.0'],
    name: 'hawser',
    plugins: [{ type: 'hawser-cni', socket }, ...chained],
  };
}

/** Puts the plugin's executable into a folder such as `/opt/cni/bin`. A runtime may be executing the old one: it is replaced whole. */
export async function installPlugin(executable: string, folder: string): Promise<void> {
  const target = join(folder, 'hawser-cni');
  if (await isSame(executable, target)) return;
  await mkdir(folder, { recursive: true });
  const unnamed = besides(target);
  await copyFile(executable, unnamed);
  await chmod(unnamed, 0o755);
  await rename(unnamed, target);
}

async function isSame(one: string, other: string): Promise<boolean> {
  const present = await readFile(other).catch(() => undefined);
  return present?.equals(await readFile(one)) ?? false;
}

/** Readers see the file as it was or as it is, never half. */
async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const unnamed = besides(path);
  await writeFile(unnamed, text);
  await rename(unnamed, path);
}

/** In the same folder, by a name that no runtime takes for a configuration or a plugin. */
function besides(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomUUID()}`);
}
