import { OvsdbError } from '../errors.ts';

/** Where a server listens, in the notation of ovsdb(7): `unix:PATH`, `tcp:HOST:PORT`, `ssl:HOST:PORT`, IPv6 in brackets. */
export type Remote =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp' | 'ssl'; readonly host: string; readonly port: number };

/** Port of `tcp:HOST` and `ssl:HOST` (IANA: ovsdb). */
const defaultPort = 6640;

/** Throws `OvsdbError` `remote` with what is wrong. */
export function parseRemote(text: string): Remote {
  if (text.startsWith('unix:') && text.length > 5) return { kind: 'unix', path: text.slice(5) };
  const parts = /^(tcp|ssl):(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d+))?$/.exec(text);
  const kind = parts?.[1];
  const host = parts?.[2] ?? parts?.[3];
  const port = Number(parts?.[4] ?? defaultPort);
  if ((kind === 'tcp' || kind === 'ssl') && host && port > 0 && port < 65_536) return { kind, host, port };
  throw new OvsdbError(
    'remote',
    `"${text}" is not a remote: expected unix:PATH, tcp:HOST:PORT or ssl:HOST:PORT (IPv6 addresses in brackets)`,
  );
}
