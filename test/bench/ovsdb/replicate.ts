import { monitorEventLoopDelay } from 'node:perf_hooks';
import { connect } from '#ovsdb/client.ts';
import { ovnNorthbound } from '#ovsdb/schemas/ovn-northbound.ts';
import { ovnSouthbound } from '#ovsdb/schemas/ovn-southbound.ts';
import { northboundColumns, southboundColumns } from './columns.ts';

// A process of its own: replicates a database once and prints what that took.
// replicate.ts northbound|southbound REMOTE; with --expose-gc also the memory a row keeps.
const [which, remote = ''] = process.argv.slice(2);

globalThis.gc?.();
const heapBefore = process.memoryUsage().heapUsed;
const delay = monitorEventLoopDelay({ resolution: 1 });
const startMs = performance.now();
const client = await connect({ remotes: [remote] });
delay.enable();
const replica =
  which === 'southbound'
    ? await client.replicate(ovnSouthbound, southboundColumns)
    : await client.replicate(ovnNorthbound, northboundColumns);
delay.disable();
const seconds = (performance.now() - startMs) / 1_000;
const rows = Object.values(replica.tables).reduce((sum, { rows: { size } }) => sum + size, 0);
globalThis.gc?.();
globalThis.gc?.();
const bytesPerRow = globalThis.gc ? (process.memoryUsage().heapUsed - heapBefore) / rows : undefined;
console.log(JSON.stringify({ rows, seconds, worstStallMs: delay.max / 1e6, bytesPerRow }));
// Not part of replicating: leave without tidying up.
process.exit(0);
