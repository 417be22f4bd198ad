import { join } from 'node:path';
import type { Figure } from './figures.ts';
import { northbound, southbound } from './ovsdb/data-sets.ts';
import { writeDatabaseFile } from './ovsdb/database-file.ts';
import { initialReplica } from './ovsdb/initial-replica.ts';
import { oneChange } from './ovsdb/one-change.ts';
import { resume } from './ovsdb/resume.ts';
import { BenchServers } from './ovsdb/servers.ts';
import { transactions } from './ovsdb/transactions.ts';

const schemaPaths = { northbound: '/usr/share/ovn/ovn-nb.ovsschema', southbound: '/usr/share/ovn/ovn-sb.ovsschema' };

/** The OVSDB library against real servers, beside the C IDL, python-ovs and a bare socket. */
export async function* bench(): AsyncIterable<Figure> {
  using servers = new BenchServers();
  const file = (name: string) => join(servers.directory, name);
  writeDatabaseFile(file('nb.db'), schemaPaths.northbound, northbound());
  writeDatabaseFile(file('sb.db'), schemaPaths.southbound, southbound());
  writeDatabaseFile(file('empty.db'), schemaPaths.northbound, {});
  const clustered = servers.clusterFile(file('nb.db'));

  yield* transactions(await servers.start(file('empty.db')), 120);
  const nb = await servers.start(file('nb.db'));
  yield* initialReplica({ which: 'northbound', remote: nb, schemaPath: schemaPaths.northbound, runs: 3 });
  yield* oneChange(nb, 5, 200);
  const sb = await servers.start(file('sb.db'));
  yield* initialReplica({ which: 'southbound', remote: sb, schemaPath: schemaPaths.southbound, runs: 3 });
  const raft = await servers.start(clustered);
  yield* resume(raft, 90, 3);
  // ovsdb-server remembers 100 transactions (ovsdb/transaction.c), so here it sends everything again.
  yield* resume(raft, 1_000, 3);
}
