import { readFile } from 'node:fs/promises';
import { connect, type OvsdbClient } from '../client.ts';
import { OvsdbError } from '../errors.ts';
import type { Change } from '../replica/change.ts';
import type { Status, Unsuitable } from '../status.ts';
import { tableOf } from '../transaction/encode-operations.ts';
import type { Operation } from '../transaction/operation.ts';
import { asksForHelp, type CommandLine, parseCommandLine, usage } from './command-line.ts';

export interface Terminal {
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
  /** Ends `monitor`. */
  readonly signal: AbortSignal;
}

/** Runs one command; gives the exit code: 0 done, 1 refused or misused, 2 outcome unknown. */
export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  if (asksForHelp(argv)) {
    terminal.out(usage);
    return 0;
  }
  try {
    const line = parseCommandLine(argv);
    await using client = await open(line, terminal);
    if (line.command.kind === 'transact') return await transact(client, line, line.command.operations, terminal);
    await follow(client, line, line.command, terminal);
    return 0;
  } catch (error) {
    if (!(error instanceof OvsdbError) && !isAbort(error)) throw error;
    terminal.err(error.message);
    return 1;
  }
}

async function open(line: CommandLine, { err, signal }: Terminal): Promise<OvsdbClient> {
  const { remotes, database, leaderOnly, timeoutSeconds, isVerbose, pemFiles } = line;
  const signals = timeoutSeconds > 0 ? [signal, AbortSignal.timeout(timeoutSeconds * 1_000)] : [signal];
  const reasons = new Map<string, string>();
  let last: Status | undefined;
  try {
    return await connect({
      remotes,
      databases: [database],
      leaderOnly,
      signal: AbortSignal.any(signals),
      onStatus: (status) => {
        // Being unsuitable is why the connection ends.
        if (status.kind === 'unsuitable') reasons.set(status.remote, sentences[status.reason](status.database));
        if (status.kind === 'disconnected' && last?.kind !== 'unsuitable')
          reasons.set(status.remote, status.cause.message);
        last = status;
        if (isVerbose) err(JSON.stringify(status, shown));
      },
      ...(pemFiles && { tls: await readPemFiles(pemFiles) }),
    });
  } catch (error) {
    if (!isAbort(error) || reasons.size === 0) throw error;
    const each = [...reasons].map(([remote, reason]) => `\n  ${remote}: ${reason}`);
    throw new OvsdbError('disconnected', `no suitable server${each.join('')}`);
  }
}

const sentences: Readonly<Record<Unsuitable, (database: string) => string>> = {
  noSuchDatabase: (database) => `has no database ${database}`,
  notLeader: (database) => `is not the leader of ${database}; with --follower it would do`,
  notConnected: (database) => `is cut off from the cluster of ${database}`,
  otherCluster: (database) => `serves another cluster's ${database}`,
  stale: (database) => `is behind what was seen of ${database}`,
};

async function readPemFiles({ ca, cert, key }: NonNullable<CommandLine['pemFiles']>) {
  const [caText, certText, keyText] = await Promise.all([readPem(ca), readPem(cert), readPem(key)]);
  return { ca: caText, cert: certText, key: keyText };
}

async function readPem(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new OvsdbError('value', `cannot read ${path}: ${error instanceof Error ? error.message : error}`);
  }
}

async function transact(
  client: OvsdbClient,
  { database }: CommandLine,
  operations: readonly Operation[],
  { out }: Terminal,
): Promise<number> {
  const outcome = await client.transact(await client.serverSchema(database), operations);
  out(JSON.stringify(outcome, shown));
  return outcome.status === 'committed' ? 0 : outcome.status === 'refused' ? 1 : 2;
}

/** Prints the rows, one JSON object per line, and for `monitor` then every change. */
async function follow(
  client: OvsdbClient,
  { database }: CommandLine,
  { kind, table, columns, where }: CommandLine['command'] & { kind: 'dump' | 'monitor' },
  { out, signal }: Terminal,
): Promise<void> {
  const schema = await client.serverSchema(database);
  const wanted = table === undefined ? Object.keys(schema.tables) : [table];
  const selection = Object.fromEntries(
    wanted.map((name) => {
      const all = Object.keys(tableOf(schema, name).columns);
      const bigint = Object.entries(tableOf(schema, name).columns).flatMap(([column, type]) =>
        type.key.type === 'integer' || type.value?.type === 'integer' ? [column] : [],
      );
      const chosen = columns.length > 0 ? columns : all;
      return [name, { columns: chosen, where, bigint: bigint.filter((column) => chosen.includes(column)) }];
    }),
  );
  await using replica = await client.replicate(schema, selection);
  const print = ({ table: name, before, after }: Change) => {
    const kindOfChange = before && after ? 'modify' : after ? 'insert' : 'delete';
    out(
      JSON.stringify({ table: name, ...(kind === 'monitor' && { change: kindOfChange }), row: after ?? before }, shown),
    );
  };
  const stop = replica.onChanges(({ changes }) => changes.forEach(print), { initial: true });
  if (kind === 'monitor' && !signal.aborted) {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  }
  stop();
}

const shown = (_key: string, value: unknown) =>
  typeof value === 'bigint' ? (Number.isSafeInteger(Number(value)) ? Number(value) : JSON.rawJSON(`${value}`)) : value;

const isAbort = (error: unknown): error is Error =>
  error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError');
