import { LiveReplica } from '../replica/live-replica.ts';
import { serverSchema } from '../schemas/server.ts';
import { type ServerDatabase, serverDatabaseOf } from './server-databases.ts';
import type { Session } from './session.ts';

/**
 * Follows what the server of one session says of its databases, in `_Server`. Servers older than Open vSwitch 2.9 have no `_Server`, and
 * no clusters.
 */
export class ServerWatch {
  readonly replica: LiveReplica;
  #isAbsent = false;

  /** `withIndex`: also follow how far each database has come, which costs a notification per commit. */
  constructor(withIndex: boolean, onChange: () => void) {
    const columns = ['name', 'model', 'connected', 'leader', 'cid', ...(withIndex ? ['index'] : [])];
    this.replica = new LiveReplica({
      name: 'server',
      schema: serverSchema,
      selection: { Database: { columns } },
      indexes: { Database: { name: 'name' } },
      onStatus: () => undefined,
      onSynced: () => undefined,
      onClosed: () => undefined,
      onCanceled: () => undefined,
    });
    this.replica.onChanges(onChange);
  }

  /** Resolves when the databases are known; not at all if the session ends first. */
  async start(session: Session): Promise<void> {
    const reply = await session.request('get_schema', ['_Server']);
    if (reply.kind === 'error') {
      this.#isAbsent = true;
      return;
    }
    this.replica.start(session, serverSchema);
    await this.replica.firstSync;
  }

  /** The server predates `_Server`: it has what it has. */
  get isAbsent(): boolean {
    return this.#isAbsent;
  }

  database(name: string): ServerDatabase | undefined {
    const row = this.replica.tables.Database?.by('name', name)[0];
    return row && serverDatabaseOf(row);
  }
}
