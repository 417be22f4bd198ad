import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/setup/longest-first.ts';

// Three kinds of test. `unit` needs nothing but Node. `parts` starts real databases, OVN, DHCP clients, API servers, a guest: two files at
// a time, since each waits much of its time. `alone` keeps a core busy with guests or both with a cluster, holds what it sees to
// milliseconds or to a share of what was sent, or speaks of the whole machine: one file at a time.
const real = ['test/**/*.lab.test.ts', 'test/lab/**/*.test.ts'];
const alone = [
  'test/lab/cluster.test.ts',
  'test/lab/end-to-end.test.ts',
  'test/lab/end-to-end-real-kube.test.ts',
  'test/lab/controller-restarts.test.ts',
  'test/lab/observer.test.ts',
  'test/lab/qemu-migration.test.ts',
  'test/lab/topology.test.ts',
  'test/dhcp/clients/server.lab.test.ts',
  'test/node-agent/physical-networks.lab.test.ts',
];
// Upper limits, for a machine that is slow that day.
const patience = { testTimeout: 120_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    reporters: ['default', './test/setup/plain-line-reporter.ts'],
    sequence: { sequencer: LongestFirst },
    testTimeout: 30_000,
    expect: { poll: { timeout: 30_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: real,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'parts',
          include: real,
          exclude: alone,
          maxWorkers: 2,
          ...patience,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: alone, maxWorkers: 1, ...patience, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
