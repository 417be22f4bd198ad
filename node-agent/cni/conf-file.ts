import { rm, writeFile } from 'node:fs/promises';
import { putWhole } from '../put-whole.ts';

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

/** The newest version of the specification that a node's configuration may offer. */
export const newestVersions = ['1.0.0', '1.1.0'] as const;

/**
 * The network configuration list of a node. `cniVersion` is what old runtimes take; new ones, and Multus, take the newest of
 * `cniVersions` for the whole chain without asking its plugins, and those of Debian 12 refuse 1.1.0.
 * @param newestVersion 1.1.0 when absent and nothing is chained; with it come GC and STATUS.
 */
export function networkConf(
  socket: string,
  chained: readonly object[],
  newestVersion: (typeof newestVersions)[number] = chained.length === 0 ? '1.1.0' : '1.0.0',
): object {
  return {
    cniVersion: '1.0.0',
    cniVersions: ['0.4.0', ...newestVersions.slice(0, newestVersions.indexOf(newestVersion) + 1)],
    name: 'hawser',
    plugins: [{ type: 'hawser', socket }, ...chained],
  };
}

async function writeWhole(path: string, text: string): Promise<void> {
  await putWhole(path, (unnamed) => writeFile(unnamed, text));
}
