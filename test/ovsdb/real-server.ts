import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, watch, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { schemaJson } from '#ovsdb/fake-server/schema-json.ts';
import type { DatabaseSchema } from '#ovsdb/schema.ts';
import type { PartitionNetwork } from './partition-network.ts';

const run = promisify(execFile);

/** A directory for one test's servers, removed with everything in it. */
export class ServerRoom implements AsyncDisposable {
  readonly directory: string;
  readonly #servers: RealServer[] = [];

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async open(): Promise<ServerRoom> {
    return new ServerRoom(await mkdtemp(join(tmpdir(), 'ovsdb-test-')));
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  async writeSchema(schema: DatabaseSchema): Promise<string> {
    const path = this.path(`${schema.name}-${schema.version}.ovsschema`);
    await writeFile(path, JSON.stringify(schemaJson(schema)));
    return path;
  }

  /** A standalone server of one database. `more` are further arguments, such as remotes. */
  async standalone(schemaPath: string, ...more: string[]): Promise<RealServer> {
    const database = this.path(`db${this.#servers.length}`);
    await run('ovsdb-tool', ['create', database, schemaPath]);
    return this.start(database, ...more);
  }

  /** A cluster whose members talk on unix sockets, or over `network`. Its members are started, the first of them first. */
  async cluster(schemaPath: string, members: number, network?: PartitionNetwork): Promise<RealServer[]> {
    const address = (member: number) => network?.address(member) ?? `unix:${this.path(`raft${member}`)}`;
    const { name }: { readonly name: string } = JSON.parse(await readFile(schemaPath, 'utf8'));
    const started: RealServer[] = [];
    for (let member = 0; member < members; member++) {
      const database = this.path(`db${this.#servers.length}`);
      if (member === 0) await run('ovsdb-tool', ['create-cluster', database, schemaPath, address(0)]);
      else await run('ovsdb-tool', ['join-cluster', database, name, address(member), address(0)]);
      started.push(await this.#start(database, [], network?.within(member)));
    }
    return started;
  }

  /** A server of whatever `source` is: a database file, or `relay:…`. */
  start(source: string, ...more: string[]): Promise<RealServer> {
    return this.#start(source, more);
  }

  async #start(source: string, more: readonly string[], within: readonly string[] = []): Promise<RealServer> {
    const server = new RealServer(this, `server${this.#servers.length}`, source, more, within);
    this.#servers.push(server);
    await server.start();
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.kill()));
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** A real ovsdb-server, which dies with this process. */
export class RealServer {
  readonly remote: string;
  /** The database file, or `relay:…`. */
  readonly source: string;
  readonly #room: ServerRoom;
  readonly #name: string;
  readonly #arguments: readonly string[];
  /** What runs it: nothing, or a command that enters a namespace. */
  readonly #within: readonly string[];
  #process: ChildProcess | undefined;

  constructor(room: ServerRoom, name: string, source: string, more: readonly string[], within: readonly string[]) {
    this.#within = within;
    this.#room = room;
    this.#name = name;
    this.source = source;
    this.remote = `unix:${room.path(`${name}.sock`)}`;
    this.#arguments = [
      source,
      `--remote=p${this.remote}`,
      `--unixctl=${room.path(`${name}.ctl`)}`,
      '--no-chdir',
      '-vconsole:off',
      ...more,
    ];
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const socket = this.#room.path(`${this.#name}.sock`);
    await rm(socket, { force: true });
    const listening = appears(this.#room.directory, socket);
    const command = ['--pdeathsig', 'KILL', ...this.#within, 'ovsdb-server', ...this.#arguments];
    const started = spawn('setpriv', command, { stdio: 'inherit' });
    this.#process = started;
    const died = once(started, 'exit').then(([code]) => {
      throw new Error(`ovsdb-server ${this.#arguments.join(' ')} ended with ${code}`);
    });
    const isRunning = () => started.exitCode === null && started.signalCode === null;
    await Promise.race([listening.then(() => accepts(socket, isRunning)), died]);
    died.catch(() => undefined);
  }

  async kill(): Promise<void> {
    const { exitCode, signalCode } = this.#process ?? {};
    if (!this.#process || exitCode !== null || signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }

  /** Stops it without a word to anyone, as a partition does; `resume` heals it. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  async appctl(...command: string[]): Promise<string> {
    // It listens for clients a moment before it does for this.
    const socket = this.#room.path(`${this.#name}.ctl`);
    await appears(this.#room.directory, socket);
    return (await run('ovs-appctl', ['-t', socket, ...command])).stdout;
  }
}

async function appears(directory: string, path: string): Promise<void> {
  const stop = new AbortController();
  try {
    const events = watch(directory, { signal: stop.signal });
    const next = events[Symbol.asyncIterator]();
    let event = next.next();
    while (!existsSync(path)) {
      await event;
      event = next.next();
    }
    event.catch(() => undefined);
  } finally {
    stop.abort();
  }
}

/** Resolves when someone listens at a socket: its file is there a moment before. */
async function accepts(path: string, isRunning: () => boolean): Promise<void> {
  while (isRunning()) {
    const socket = createConnection(path);
    try {
      await once(socket, 'connect');
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 2));
    } finally {
      socket.destroy();
    }
  }
}
