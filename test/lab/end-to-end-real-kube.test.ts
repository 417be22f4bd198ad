import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { whyNoKube } from '#test/kube/assets.ts';
import { realKubernetes } from './kubernetes/real.ts';
import { type Lab, startLab } from './lab.ts';
import type { LabResult } from './results.ts';
import { runLab } from './run.ts';

// `npm run lab -- --real-kube`: everybody under a ServiceAccount of their own, the scheduler and the garbage collector the real ones.

const why = whyNoKube();
if (why !== undefined) console.warn(`the lab on a real kube-apiserver: skipped, because ${why}`);

describe.skipIf(why !== undefined)('the lab on a real kube-apiserver', () => {
  let lab: Lab;
  let result: LabResult;
  const said: string[] = [];
  // The first run on a machine builds Kubernetes.
  beforeAll(async () => {
    const log = (line: string) => said.push(line);
    lab = await startLab({ nodes: 2, log, startKubernetes: realKubernetes });
    result = await runLab(lab, { vms: 2, scenarios: ['precopy', 'stop-start'], log });
  }, 30 * 60_000);
  afterAll(() => lab?.[Symbol.asyncDispose]());

  test('guests attached by direct tap and by managedTap migrate and are restarted', () => {
    const course = ['completed node-a→node-b', 'completed node-b→node-a', 'restarted node-a→node-b'];
    for (const [vm, attach] of [
      ['vm1', 'tap'],
      ['vm2', 'managedTap'],
    ]) {
      const own = result.migrations.filter((migration) => migration.vm === vm);
      expect(own.map(({ outcome, from, to }) => `${outcome} ${from}→${to}`)).toEqual(course);
      expect(own[0]?.attach).toBe(attach);
    }
  });

  test('their addresses and gateway stay what they were, and no TCP stream loses a byte', () => {
    for (const migration of result.migrations) {
      const { ipsBefore, macBefore, gatewayBefore, gatewayMacBefore, to } = migration;
      expect(migration).toMatchObject({
        ipsAfter: ipsBefore,
        macAfter: macBefore,
        gatewayAfter: gatewayBefore,
        gatewayMacAfter: gatewayMacBefore,
        tcpLostBytes: 0,
        chassis: to,
      });
    }
  });

  test("the cluster's own garbage collector takes away what a deleted VM owns", () => {
    expect(result.problems.filter((sentence) => sentence.startsWith('left over'))).toEqual([]);
  });
});
