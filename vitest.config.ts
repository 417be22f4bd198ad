import { defineConfig } from 'vitest/config';

// Three kinds of test. `unit` needs nothing but Node. `parts` starts real databases, OVN, DHCP clients or API servers, two files at a
// time. `lab` boots guests and clusters, and measures: one file at a time, because every file wants the two cores to itself.
const parts = 'test/**/*.lab.test.ts';
const lab = 'test/lab/**/*.test.ts';
const patience = { testTimeout: 120_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    reporters: ['default', './test/setup/plain-line-reporter.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [lab, parts],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'parts',
          include: [parts],
          exclude: [lab],
          maxWorkers: 2,
          ...patience,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { name: 'lab', include: [lab], maxWorkers: 1, ...patience, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
