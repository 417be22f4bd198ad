import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Servers of one benchmark, in a directory of their own; all end with `close`, or with this process. */
export class BenchServers implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'ovsdb-bench-'));
  readonly #stops: (() => void)[] = [];
  #count = 0;

  /** Starts a server of a database file; gives its remote. */
  async start(database: string): Promise<string> {
    const name = join(this.directory, `server${this.#count++}`);
    const args = [database, `--remote=punix:${name}.sock`, `--unixctl=${name}.ctl`, '--no-chdir', '-vconsole:off'];
    const server = spawn('setpriv', ['--pdeathsig', 'KILL', 'ovsdb-server', ...args], { stdio: 'ignore' });
    this.#stops.push(() => server.kill('SIGKILL'));
    await new Promise<void>((resolve, reject) => {
      const watcher = watch(this.directory, () => {
        if (!existsSync(`${name}.sock`)) return;
        watcher.close();
        resolve();
      });
      server.once('exit', () => reject(new Error(`ovsdb-server of ${database} ended`)));
    });
    return `unix:${name}.sock`;
  }

  /** A cluster of one member with the content of a standalone database file. */
  clusterFile(standalone: string): string {
    const path = join(this.directory, 'clustered.db');
    execFileSync('ovsdb-tool', ['create-cluster', path, standalone, `unix:${this.directory}/raft`]);
    return path;
  }

  [Symbol.dispose](): void {
    for (const stop of this.#stops) stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
