import { afterAll, beforeAll, expect, test } from 'vitest';
import { type StartedLab, startLab } from '#test/lab/lab.ts';
import { runLab } from '#test/lab/run.ts';
import type { Gate } from '#test/lab/virt/writer-loop.ts';

// Whatever KubeVirt is about to write, our controller has just been killed and is only starting again.

let lab: StartedLab;
const killedBefore: string[] = [];
let isKilling = false;
let restarted = Promise.resolve();
const kill: Gate = async (step, { by }) => {
  if (!isKilling) return;
  killedBefore.push(`${by} ${step}`);
  restarted = restarted.then(async () => {
    await lab.controller.kill();
    await lab.controller.start();
  });
  await restarted;
};

beforeAll(async () => {
  lab = await startLab({ nodes: 2, log: () => {}, gate: kill });
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
});

test('a controller that is killed between any two steps of a migration changes nothing', async () => {
  const result = await runLab(lab, {
    vms: 2,
    scenarios: ['precopy', 'failed'],
    log: () => {},
    aroundStep: async (run) => {
      isKilling = true;
      try {
        return await run();
      } finally {
        isKilling = false;
      }
    },
  });
  expect(new Set(killedBefore)).toEqual(
    expect.objectContaining(
      new Set(['virt-controller T2', 'kube-scheduler T3a', 'virt-controller T6', 'virt-handler T15']),
    ),
  );
  for (const migration of result.migrations) {
    const { ipsBefore, macBefore, gatewayBefore, gatewayMacBefore, outcome, from, to } = migration;
    expect(migration).toMatchObject({
      tcpLostBytes: 0,
      ipsAfter: ipsBefore,
      macAfter: macBefore,
      gatewayAfter: gatewayBefore,
      gatewayMacAfter: gatewayMacBefore,
      chassis: outcome === 'failed' ? from : to,
    });
  }
  expect(result.migrations.map(({ outcome }) => outcome)).toEqual([
    ...['completed', 'completed', 'failed'],
    ...['completed', 'completed', 'failed'],
  ]);
  expect(result.problems.filter((sentence) => sentence.startsWith('left over'))).toEqual([]);
  const ports = new Set(lab.history.requests.map(({ port }) => port).filter((port) => port.startsWith('vm/')));
  expect(ports).toEqual(new Set(['vm/default/vm1', 'vm/default/vm2']));
}, 400_000);
