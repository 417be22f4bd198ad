import type { GuestReport } from './guest/report.ts';

/** A figure for each of IPv4 and IPv6. */
export interface Both<T> {
  readonly v4: T;
  readonly v6: T;
}

/** What one migration, or one stop and start, did to a VM as its guest and the observer saw it. */
export interface MigrationResult {
  readonly vm: string;
  readonly attach: string;
  readonly kind: string;
  readonly from: string;
  readonly to: string;
  readonly outcome: string;
  /** QEMU's own account (`query-migrate`); null where nothing was switched over. */
  readonly qemuDowntimeMs: number | null;
  /** From the guest's STOP on the source to its RESUME on the target. */
  readonly stoppedMs: number | null;
  /** Between two replies to pings sent every 10 ms. */
  readonly longestGapMs: Both<number>;
  /** The same of another guest, to which nothing was done, where the guest stayed in place; null elsewhere, and where there is no other. */
  readonly bystanderGapMs: Both<number> | null;
  /** Of a TCP stream that ran all the while; after a stop and start, of one begun then. */
  readonly tcpLostBytes: number;
  readonly ipsBefore: readonly string[];
  readonly ipsAfter: readonly string[];
  readonly macBefore: string;
  readonly macAfter: string;
  readonly gatewayBefore: Both<string | undefined>;
  readonly gatewayAfter: Both<string | undefined>;
  readonly gatewayMacBefore: Both<string | undefined>;
  readonly gatewayMacAfter: Both<string | undefined>;
  /** The chassis that OVN says has the port, at the end. */
  readonly chassis: string;
  /** From `requested-chassis=src,dst` to the commit or roll-back; null when there was no migration. */
  readonly commitMs: number | null;
  /** What did not hold, in sentences. */
  readonly problems: readonly string[];
}

export interface GuestResult {
  readonly vm: string;
  readonly attach: string;
  readonly node: string;
  readonly report: GuestReport;
  readonly problems: readonly string[];
}

export interface LabResult {
  readonly ok: boolean;
  readonly guests: readonly GuestResult[];
  readonly migrations: readonly MigrationResult[];
  /** What did not hold of the lab as a whole: something left over, say. */
  readonly problems: readonly string[];
}

export function labResult(
  guests: readonly GuestResult[],
  migrations: readonly MigrationResult[],
  left: readonly string[],
): LabResult {
  const problems = [...overheadProblems(migrations), ...left];
  const ok = [...guests, ...migrations].every((part) => part.problems.length === 0) && problems.length === 0;
  return { ok, guests, migrations, problems };
}

/**
 * What is added to QEMU's own downtime in a pre-copy migration, ms, median over a run. The project's bar is 30 as the median over ten
 * runs; one run, of a handful of migrations on a machine that is busy with a whole cluster, is allowed more.
 */
const allowedOverheadMs = 60;

/**
 * Longest gap less QEMU's downtime, median over a run's pre-copy migrations; undefined when there was none. A gap can be the shorter one:
 * QEMU counts from the guest's stop, and the ping that is answered last was sent before.
 */
export function precopyOverheadMs(migrations: readonly MigrationResult[]): Both<number> | undefined {
  const moved = migrations.filter(({ kind, qemuDowntimeMs }) => kind === 'precopy' && qemuDowntimeMs !== null);
  const overheads = (family: 'v4' | 'v6') =>
    moved.map(({ longestGapMs, qemuDowntimeMs }) => longestGapMs[family] - (qemuDowntimeMs ?? 0));
  return moved.length === 0 ? undefined : { v4: median(overheads('v4')), v6: median(overheads('v6')) };
}

function overheadProblems(migrations: readonly MigrationResult[]): readonly string[] {
  const overhead = precopyOverheadMs(migrations);
  return (['v4', 'v6'] as const)
    .filter((family) => overhead !== undefined && overhead[family] > allowedOverheadMs)
    .map(
      (family) =>
        `on ${family} a pre-copy migration took the guest out of reach for ${Math.round(overhead?.[family] ?? 0)} ms longer than QEMU's downtime (median), over ${allowedOverheadMs} ms`,
    );
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = 0, high = 0] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
  return (low + high) / 2;
}

/** The table at the end of a run. */
export function resultTable(migrations: readonly MigrationResult[]): string {
  const header = [
    'VM',
    'attach',
    'what',
    'way',
    'outcome',
    'down',
    'stopped',
    'gap v4',
    'gap v6',
    'bystander',
    'TCP lost',
    'commit',
    'chassis',
    'held',
  ];
  const rows = migrations.map((result) => [
    result.vm,
    result.attach,
    result.kind,
    `${short(result.from)}→${short(result.to)}`,
    result.outcome,
    ms(result.qemuDowntimeMs),
    ms(result.stoppedMs),
    ms(result.longestGapMs.v4),
    ms(result.longestGapMs.v6),
    ms(result.bystanderGapMs && Math.max(result.bystanderGapMs.v4, result.bystanderGapMs.v6)),
    `${result.tcpLostBytes} B`,
    ms(result.commitMs),
    short(result.chassis),
    result.problems.length === 0 ? 'yes' : 'NO',
  ]);
  return aligned([header, ...rows]);
}

/** What stayed the same, for each VM: as seen in the guest before the first and after the last migration. */
export function identityTable(migrations: readonly MigrationResult[]): string {
  const rows: string[][] = [['VM', '', 'before', 'after']];
  for (const vm of new Set(migrations.map((result) => result.vm))) {
    const own = migrations.filter((result) => result.vm === vm);
    const [first, last] = [own[0], own.at(-1)];
    if (first === undefined || last === undefined) continue;
    rows.push([vm, 'IPs', first.ipsBefore.join(' '), last.ipsAfter.join(' ')]);
    rows.push(['', 'MAC', first.macBefore, last.macAfter]);
    for (const family of ['v4', 'v6'] as const) {
      rows.push([
        '',
        `gateway ${family}`,
        `${first.gatewayBefore[family]} at ${first.gatewayMacBefore[family]}`,
        `${last.gatewayAfter[family]} at ${last.gatewayMacAfter[family]}`,
      ]);
    }
  }
  return aligned(rows);
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((cells) => (cells[column] ?? '').length))) ?? [];
  return rows
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function short(node: string): string {
  return node.replace(/^node-/, '').toUpperCase();
}

function ms(value: number | null): string {
  return value === null ? '–' : `${Math.round(value)} ms`;
}
