import { parseArgs } from 'node:util';
import { OvsdbError } from '../errors.ts';
import type { AnyOf, Operation } from '../transaction/operation.ts';

export const usage = `usage: npm run ovsdb -- dump     REMOTE DATABASE [TABLE [COLUMN…]]
       npm run ovsdb -- monitor  REMOTE DATABASE [TABLE [COLUMN…]]
       npm run ovsdb -- transact REMOTE DATABASE OPERATIONS

REMOTE is unix:PATH, tcp:HOST:PORT or ssl:HOST:PORT, or several with commas between. OPERATIONS is a JSON list such as
'[{"op":"insert","table":"Logical_Switch","row":{"name":"ls1"}}]': values as rows show them, not as the wire has them.

  --where JSON        only these rows of TABLE, such as '[["name","==","ls1"]]' (any of them)
  --follower          any member of a cluster, or a relay, will do
  --ca, --cert, --key PEM files for ssl:
  --timeout SECONDS   give up if there is no suitable server; 10 if not given, 0 for never
  --verbose           also say what happens to the connection
  --help              this text`;

export interface CommandLine {
  readonly command:
    | {
        readonly kind: 'dump' | 'monitor';
        readonly table: string | undefined;
        readonly columns: readonly string[];
        readonly where: AnyOf;
      }
    | { readonly kind: 'transact'; readonly operations: readonly Operation[] };
  readonly remotes: readonly string[];
  readonly database: string;
  readonly leaderOnly: boolean;
  readonly timeoutSeconds: number;
  readonly isVerbose: boolean;
  readonly pemFiles: { readonly ca: string; readonly cert: string; readonly key: string } | undefined;
}

/** Is this a question for the usage? */
export const asksForHelp = (argv: readonly string[]): boolean => argv.includes('--help') || argv.includes('-h');

/** Reads the arguments; throws `OvsdbError` `value` with a sentence about what is wrong with them. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const { values, positionals } = parsed(argv);
  const [kind, remotes, database, ...rest] = positionals;
  if (!kind || !remotes || !database) throw new OvsdbError('value', usage);
  const { ca, cert, key } = values;
  const isSecure = remotes.split(',').some((remote) => remote.trim().startsWith('ssl:'));
  if ((isSecure || ca || cert || key) && !(ca && cert && key)) {
    throw new OvsdbError('value', 'an ssl: remote needs all of --ca, --cert and --key');
  }
  const some = {
    remotes: remotes.split(',').map((remote) => remote.trim()),
    database,
    leaderOnly: !values.follower,
    timeoutSeconds: Number(values.timeout ?? 10),
    isVerbose: values.verbose === true,
    pemFiles: ca && cert && key ? { ca, cert, key } : undefined,
  };
  if (!(some.timeoutSeconds >= 0))
    throw new OvsdbError('value', `--timeout ${values.timeout} is not a number of seconds`);
  if (kind === 'transact') {
    const [operations, ...more] = rest;
    if (operations === undefined || more.length > 0) throw new OvsdbError('value', usage);
    return { ...some, command: { kind, operations: operationsOf(json(operations, 'OPERATIONS')) } };
  }
  if (kind !== 'dump' && kind !== 'monitor') throw new OvsdbError('value', usage);
  const [table, ...columns] = rest;
  if (values.where !== undefined && !table) throw new OvsdbError('value', '--where needs a TABLE');
  const where = values.where === undefined ? true : conditionOf(json(values.where, '--where'));
  return { ...some, command: { kind, table, columns, where } };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        where: { type: 'string' },
        follower: { type: 'boolean' },
        ca: { type: 'string' },
        cert: { type: 'string' },
        key: { type: 'string' },
        timeout: { type: 'string' },
        verbose: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new OvsdbError('value', `${error instanceof Error ? error.message : error}\n${usage}`);
  }
}

function json(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new OvsdbError('value', `${what} is not JSON: ${error instanceof Error ? error.message : error}`);
  }
}

/** The library checks tables, columns and values against the server's schema; here only that these are operations. */
function operationsOf(value: unknown): readonly Operation[] {
  if (!Array.isArray(value)) throw new OvsdbError('value', 'OPERATIONS is not a list of operations');
  return value.map((one: unknown, index) => {
    const fault = faultOf(one);
    if (fault !== undefined) throw new OvsdbError('value', `operation ${index} ${fault}`);
    if (!isOperation(one)) throw new OvsdbError('value', `operation ${index} is none`);
    return one;
  });
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown) => typeof value === 'string';
const isTexts = (value: unknown) => Array.isArray(value) && value.every(isText);
const isWhere = (value: unknown) => typeof value === 'boolean' || isRecord(value) || isClauses(value);
const isClauses = (value: unknown): value is GenericClause[] => Array.isArray(value) && value.every(isClause);
const isOptional = (is: (value: unknown) => boolean) => (value: unknown) => value === undefined || is(value);
const onTable = { table: isText };

/** What each operation needs, and of what form. */
const members: Readonly<Record<string, Readonly<Record<string, (value: unknown) => boolean>>>> = {
  insert: { ...onTable, row: isRecord, uuid: isOptional(isText), uuidName: isOptional(isText) },
  select: { ...onTable, where: isWhere, columns: isOptional(isTexts) },
  update: { ...onTable, where: isWhere, row: isRecord },
  mutate: { ...onTable, where: isWhere, mutations: isClauses },
  delete: { ...onTable, where: isWhere },
  wait: {
    ...onTable,
    where: isWhere,
    columns: isTexts,
    until: (value) => value === '==' || value === '!=',
    rows: (value) => Array.isArray(value) && value.every(isRecord),
    timeoutMs: (value) => typeof value === 'number',
  },
  commit: { durable: (value) => typeof value === 'boolean' },
  abort: {},
  comment: { comment: isText },
  assert: { lock: isText },
};

/** What is wrong with an operation. */
function faultOf(value: unknown): string | undefined {
  if (!isRecord(value)) return 'is not an object';
  const needed = members[String(value.op)];
  if (!needed) return `has no "op" out of ${Object.keys(members).join(', ')}`;
  for (const [member, fits] of Object.entries(needed)) {
    if (fits(value[member])) continue;
    return `(${value.op}) ${value[member] === undefined ? 'lacks' : 'has an unfit'} "${member}"`;
  }
  return undefined;
}

const isOperation = (value: unknown): value is Operation => faultOf(value) === undefined;

function conditionOf(value: unknown): AnyOf {
  if (typeof value === 'boolean') return value;
  if (isClauses(value)) return value;
  throw new OvsdbError('value', '--where is not a list of [column, function, value]');
}

type GenericClause = Exclude<AnyOf, boolean>[number];
const isClause = (value: unknown): value is GenericClause =>
  Array.isArray(value) && value.length === 3 && typeof value[0] === 'string' && typeof value[1] === 'string';
