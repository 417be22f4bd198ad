import { afterAll, beforeAll, describe } from 'vitest';
import { whyNoKube } from './assets.ts';
import { startCluster } from './cluster.ts';
import type { ControlPlane } from './control-plane.ts';

/**
 * Tests against a control plane of their own, which `cluster` gives once they run. Where there can be none they are skipped, and a line
 * says why.
 */
export function describeOnRealKube(name: string, tests: (cluster: () => ControlPlane) => void): void {
  const why = whyNoKube();
  if (why !== undefined) console.warn(`${name}: skipped, because ${why}`);
  describe.skipIf(why !== undefined)(name, () => {
    let running: ControlPlane | undefined;
    // The first run on a machine builds Kubernetes.
    beforeAll(async () => {
      running = await startCluster();
    }, 30 * 60_000);
    afterAll(() => running?.[Symbol.asyncDispose]());
    tests(() => {
      if (running === undefined) throw new Error('the control plane has not started');
      return running;
    });
  });
}
