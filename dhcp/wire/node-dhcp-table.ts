import table from 'dhcp/lib/options.js';
import * as z from 'zod';

/** One option as the npm package `dhcp` has it. */
export interface NodeDhcpOption {
  readonly name: string;
  /** `UInt8`, `UInt16`, `UInt32`, `Int32`, `IP`, `IPs`, `ASCII`, `UTF8`, `Bool`, `UInt8s`, `UInt16s`, `UInt32s`. */
  readonly type: string;
}

const module = z.object({
  opts: z.record(z.string(), z.object({ name: z.string(), type: z.exactOptional(z.string()) })),
});

/** Types the package has wrong, by code: it reads these as text or as plain addresses. */
const corrections: Readonly<Record<number, string>> = {
  61: 'UInt8s',
  68: 'IPs',
  119: 'Domains',
  121: 'Routes',
  249: 'Routes',
};

/**
 * Names and types of DHCPv4 options from the npm package `dhcp`, by code, as a copy: its own table can be changed by anyone
 * (`addOption`). Only this table is used at run time; its server and codec are not on the packet path.
 */
export function nodeDhcpOptions(): ReadonlyMap<number, NodeDhcpOption> {
  known ??= readTable();
  return known;
}

let known: ReadonlyMap<number, NodeDhcpOption> | undefined;

function readTable(): ReadonlyMap<number, NodeDhcpOption> {
  const { opts } = module.parse(table);
  return new Map(
    Object.entries(opts).flatMap(([text, { name, type }]) => {
      const code = Number(text);
      // Beyond one byte are the package's own inventions.
      return code > 254 || type === undefined ? [] : [[code, { name, type: corrections[code] ?? type }]];
    }),
  );
}
