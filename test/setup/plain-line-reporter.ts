import type { Reporter, TestModule } from 'vitest/node';

/** Closes a run with one line that any log reader understands: `N passed, N failed, N skipped`. */
export default class PlainLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      let testsFailed = false;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        count[state] += 1;
        testsFailed ||= state === 'failed';
      }
      // A file that could not be loaded, or whose hooks failed, has failed even though none of its tests has.
      if (module.state() === 'failed' && !testsFailed) count.failed += 1;
    }
    const skipped = count.skipped + count.pending;
    const line = `${count.passed} passed, ${count.failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
    // The default reporter prints its summary in the same event; ours goes below it.
    setImmediate(() => process.stdout.write(`${line}\n`));
  }
}
