import { readFile } from 'node:fs/promises';

/** What has been committed to a database so far, by others than northd, which signs what it writes. */
export interface Committed {
  readonly transactions: number;
  readonly rows: number;
}

/** Reads the file of a standalone ovsdb-server: one record for each transaction (ovsdb(7), "Standalone Format"). */
export async function committedTo(databaseFile: string): Promise<Committed> {
  let transactions = 0;
  let rows = 0;
  for (const record of (await readFile(databaseFile, 'utf8')).split(/^OVSDB JSON \d+ [0-9a-f]+\n/m).slice(2)) {
    const { _comment: comment, _date, _is_diff, ...tables }: Record<string, object> = JSON.parse(record);
    if (String(comment).includes('northd')) continue;
    transactions += 1;
    for (const changed of Object.values(tables)) rows += Object.keys(changed).length;
  }
  return { transactions, rows };
}

export function since(before: Committed, now: Committed): Committed {
  return { transactions: now.transactions - before.transactions, rows: now.rows - before.rows };
}
