import { describe, expect, test } from 'vitest';
import { delayBefore } from '#ovsdb/connection/backoff.ts';
import { nextProbeStep } from '#ovsdb/connection/probe.ts';
import { parseRemote } from '#ovsdb/connection/remote.ts';
import { type ServerDatabase, unsuitable } from '#ovsdb/connection/server-databases.ts';

describe('probes are driven by timestamps alone', () => {
  const limits = { probeMs: 5_000, dumpSilenceMs: 180_000 };
  const step = (lastReceivedMs: number, probedMs: number | undefined, nowMs: number, isDumpDue = false) =>
    nextProbeStep({ lastReceivedMs, probedMs, isDumpDue }, limits, nowMs);

  test('any byte received puts the probe off', () => {
    expect(step(1_000, undefined, 4_000)).toEqual({ do: 'wait', forMs: 2_000 });
    expect(step(6_000, 5_000, 7_000)).toEqual({ do: 'wait', forMs: 4_000 });
  });

  test('silence is probed once, and ends the connection when it lasts', () => {
    expect(step(0, undefined, 5_000)).toEqual({ do: 'probe' });
    expect(step(0, 5_000, 6_000)).toEqual({ do: 'wait', forMs: 4_000 });
    expect(step(0, 5_000, 10_000)).toEqual({ do: 'give up', silentMs: 10_000 });
  });

  test('an answer to the probe starts it all anew', () => {
    expect(step(5_100, 5_000, 10_200)).toEqual({ do: 'probe' });
  });

  test('while a dump is due silence is normal, for a long time', () => {
    expect(step(0, 5_000, 60_000, true)).toEqual({ do: 'wait', forMs: 120_000 });
    expect(step(0, 5_000, 180_000, true)).toEqual({ do: 'give up', silentMs: 180_000 });
  });
});

describe('backoff', () => {
  const limits = { firstMs: 1_000, longestMs: 8_000 };

  test('doubles from the first delay to the longest', () => {
    expect([1, 2, 3, 4, 5, 60].map((failures) => delayBefore(limits, failures, 3, false))).toEqual([
      1_000, 2_000, 4_000, 8_000, 8_000, 8_000,
    ]);
  });

  test('being sent away costs nothing until every remote was tried once', () => {
    expect([1, 2, 3, 4].map((failures) => delayBefore(limits, failures, 3, true))).toEqual([0, 0, 0, 8_000]);
  });
});

describe('which server will do', () => {
  const database: ServerDatabase = {
    name: 'Test',
    model: 'clustered',
    connected: true,
    leader: true,
    cid: 'c1',
    index: 10,
  };

  test('a standalone server always; a missing database never', () => {
    expect(unsuitable({ ...database, model: 'standalone', leader: false }, true, undefined)).toBeUndefined();
    expect(unsuitable(undefined, false, undefined)).toBe('noSuchDatabase');
  });

  test('a member cut off from its cluster, or a relay cut off from its source, does not do', () => {
    expect(unsuitable({ ...database, connected: false }, false, undefined)).toBe('notConnected');
    expect(unsuitable({ ...database, model: 'relay', connected: false }, false, undefined)).toBe('notConnected');
  });

  test('a follower does unless only the leader may; a relay is never the leader', () => {
    expect(unsuitable({ ...database, leader: false }, false, undefined)).toBeUndefined();
    expect(unsuitable({ ...database, leader: false }, true, undefined)).toBe('notLeader');
    expect(unsuitable({ ...database, model: 'relay', leader: false }, true, undefined)).toBe('notLeader');
  });

  test('a server of another cluster, or behind what was seen, does not do', () => {
    expect(unsuitable(database, true, { cid: 'c2', index: 0 })).toBe('otherCluster');
    expect(unsuitable(database, false, { cid: 'c1', index: 11 })).toBe('stale');
    expect(unsuitable(database, false, { cid: 'c1', index: 10 })).toBeUndefined();
  });
});

describe('remotes', () => {
  test.for<[string, unknown]>([
    ['unix:/run/ovn/ovnnb_db.sock', { kind: 'unix', path: '/run/ovn/ovnnb_db.sock' }],
    ['tcp:127.0.0.1:6641', { kind: 'tcp', host: '127.0.0.1', port: 6641 }],
    ['tcp:[::1]:6641', { kind: 'tcp', host: '::1', port: 6641 }],
    ['ssl:ovn.example:6641', { kind: 'ssl', host: 'ovn.example', port: 6641 }],
    ['ssl:ovn.example', { kind: 'ssl', host: 'ovn.example', port: 6640 }],
  ])('%s', ([text, remote]) => {
    expect(parseRemote(text)).toEqual(remote);
  });

  test.for(['', 'unix:', 'http://x', 'tcp:', 'tcp:::1:6641', 'tcp:h:0', 'tcp:h:70000', 'ptcp:6641'])(
    '"%s" is refused with a sentence that says what is expected',
    (text) => {
      expect(() => parseRemote(text)).toThrow(/expected unix:PATH, tcp:HOST:PORT or ssl:HOST:PORT/);
    },
  );
});
