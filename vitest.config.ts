import { defineConfig } from 'vitest/config';

// Two kinds of test: `unit` runs in parallel and needs nothing but Node; `lab` starts real OVN, QEMU or API servers
// and runs one file at a time, because every file wants the two cores to itself.
export default defineConfig({
  test: {
    reporters: ['default', './test/setup/plain-line-reporter.ts'],
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/lab/**', 'test/**/*.lab.test.ts'] },
      },
      {
        extends: true,
        test: {
          name: 'lab',
          include: ['test/lab/**/*.test.ts', 'test/**/*.lab.test.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
