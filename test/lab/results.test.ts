import { expect, test } from 'vitest';
import { labResult, type MigrationResult, precopyOverheadMs, resultTable } from '#test/lab/results.ts';

const both = <T>(value: T) => ({ v4: value, v6: value });

function moved(qemuDowntimeMs: number, gapMs: number, more: Partial<MigrationResult> = {}): MigrationResult {
  return {
    ...{ vm: 'vm1', attach: 'tap', kind: 'precopy', from: 'node-a', to: 'node-b', outcome: 'completed' },
    ...{ qemuDowntimeMs, stoppedMs: qemuDowntimeMs, longestGapMs: both(gapMs), bystanderGapMs: null },
    ...{ tcpLostBytes: 0, chassis: 'node-b' },
    ...{ ipsBefore: ['10.244.0.3/16'], ipsAfter: ['10.244.0.3/16'], macBefore: 'a', macAfter: 'a', commitMs: 700 },
    ...{ gatewayBefore: both('10.244.0.1'), gatewayAfter: both('10.244.0.1') },
    ...{ gatewayMacBefore: both('b'), gatewayMacAfter: both('b'), problems: [] },
    ...more,
  };
}

test('the overhead of pre-copy is the median of what the observer saw beyond the downtime', () => {
  expect(precopyOverheadMs([moved(100, 110), moved(50, 140), moved(10, 30)])).toEqual(both(20));
  expect(precopyOverheadMs([moved(100, 110), moved(50, 80)])).toEqual(both(20));
  expect(precopyOverheadMs([moved(4, 90, { kind: 'postcopy' })])).toBeUndefined();
});

test('a run holds when nothing is wrong with any part of it and the overhead is within 60 ms', () => {
  expect(labResult([], [moved(100, 125)], []).ok).toBe(true);
  expect(labResult([], [moved(100, 161)], [])).toMatchObject({
    ok: false,
    problems: [expect.stringContaining('61 ms longer'), expect.stringContaining('61 ms longer')],
  });
  expect(labResult([], [moved(100, 125, { problems: ['the MAC changed'] })], []).ok).toBe(false);
  expect(labResult([], [moved(100, 125)], ['left over: IPAMClaim default/vm1.default']).ok).toBe(false);
});

test('the table has a row for each migration', () => {
  expect(
    resultTable([moved(100, 125)])
      .split('\n')
      .map((line) => line.split(/\s{2,}/)),
  ).toEqual([
    expect.arrayContaining([
      'VM',
      'attach',
      'what',
      'way',
      'outcome',
      'down',
      'gap v4',
      'gap v6',
      'bystander',
      'TCP lost',
      'held',
    ]),
    [
      'vm1',
      'tap',
      'precopy',
      'A→B',
      'completed',
      '100 ms',
      '100 ms',
      '125 ms',
      '125 ms',
      '–',
      '0 B',
      '700 ms',
      'B',
      'yes',
    ],
  ]);
});
