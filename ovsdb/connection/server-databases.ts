import type { Row } from '../replica/row-shape.ts';
import type { Unsuitable } from '../status.ts';

/** One row of `_Server.Database` (ovsdb-server(5)). */
export interface ServerDatabase {
  readonly name: string;
  readonly model: string;
  readonly connected: boolean;
  readonly leader: boolean;
  readonly cid: string | undefined;
  readonly index: number | undefined;
}

/** What earlier connections taught about a database. */
export interface Seen {
  readonly cid: string | undefined;
  readonly index: number;
}

/** Why this server does not do, or `undefined` if it does. */
export function unsuitable(
  database: ServerDatabase | undefined,
  leaderOnly: boolean,
  seen: Seen | undefined,
): Unsuitable | undefined {
  if (!database) return 'noSuchDatabase';
  if (database.model === 'standalone') return undefined;
  if (!database.connected) return 'notConnected';
  if (leaderOnly && !database.leader) return 'notLeader';
  if (seen?.cid !== undefined && database.cid !== undefined && seen.cid !== database.cid) return 'otherCluster';
  if (seen && database.index !== undefined && database.index < seen.index) return 'stale';
  return undefined;
}

export function seenAfter(database: ServerDatabase, seen: Seen | undefined): Seen {
  return {
    cid: database.cid ?? seen?.cid,
    index: Math.max(database.index ?? 0, seen?.index ?? 0),
  };
}

export function serverDatabaseOf(row: Row): ServerDatabase {
  const { name, model, connected, leader, cid, index } = row;
  return {
    name: String(name),
    model: String(model),
    connected: connected === true,
    leader: leader === true,
    cid: typeof cid === 'string' ? cid : undefined,
    index: typeof index === 'number' ? index : undefined,
  };
}
