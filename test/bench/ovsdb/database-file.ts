import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

/** Rows of one table in wire form, by UUID. */
export type FileRows = Iterable<readonly [uuid: string, cells: object]>;

/**
 * Writes a standalone database file (ovsdb(5)): the schema and one transaction that holds everything. Much faster than a hundred thousand
 * inserts, and every server in a comparison can load the same one.
 */
export function writeDatabaseFile(path: string, schemaPath: string, tables: Readonly<Record<string, FileRows>>): void {
  const file = openSync(path, 'w');
  try {
    writeRecord(file, JSON.stringify(JSON.parse(readFileSync(schemaPath, 'utf8'))));
    const parts = Object.entries(tables).map(([table, rows]) => {
      const members = Array.from(rows, ([uuid, cells]) => `"${uuid}":${JSON.stringify(cells)}`);
      return `"${table}":{${members.join(',')}}`;
    });
    writeRecord(file, `{${parts.join(',')},"_date":1700000000000,"_comment":"bench"}`);
  } finally {
    closeSync(file);
  }
}

function writeRecord(file: number, json: string): void {
  const body = Buffer.from(`${json}\n`);
  const digest = createHash('sha1').update(body).digest('hex');
  writeSync(file, `OVSDB JSON ${body.length} ${digest}\n`);
  writeSync(file, body);
}
