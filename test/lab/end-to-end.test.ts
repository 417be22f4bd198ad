import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, startLab } from '#test/lab/lab.ts';
import type { LabResult } from '#test/lab/results.ts';
import { runLab } from '#test/lab/run.ts';
import { scenarioNames } from '#test/lab/scenarios/index.ts';

// The main job of `npm run lab`, as a user sees it run, on real OVN with real guests.

let lab: Lab;
let result: LabResult;
beforeAll(async () => {
  const lines: string[] = [];
  lab = await startLab({ nodes: 3, log: (line) => lines.push(line) });
  result = await runLab(lab, { vms: 2, scenarios: scenarioNames, log: (line) => lines.push(line) });
}, 600_000);
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
});

test('guests attached by direct tap and by managedTap configure themselves from nothing', () => {
  expect(result.guests.map(({ vm, attach, problems }) => ({ vm, attach, problems }))).toEqual([
    { vm: 'vm1', attach: 'tap', problems: [] },
    { vm: 'vm2', attach: 'managedTap', problems: [] },
  ]);
});

test('each went round the nodes, survived a failure and a cancellation, moved by post-copy and was restarted', () => {
  const way = ['completed A→B', 'completed B→C', 'completed C→A', 'failed A→B', 'cancelled A→B', 'completed A→B'];
  for (const vm of ['vm1', 'vm2']) {
    const own = result.migrations.filter((migration) => migration.vm === vm);
    const letter = (node: string) => node.replace('node-', '').toUpperCase();
    expect(own.map(({ outcome, from, to }) => `${outcome} ${letter(from)}→${letter(to)}`)).toEqual([
      ...way,
      'restarted B→C',
    ]);
  }
});

describe('through all of it', () => {
  test('no guest saw its IPs, its MAC, its gateway or its gateway MAC change', () => {
    for (const migration of result.migrations) {
      const { ipsBefore, macBefore, gatewayBefore, gatewayMacBefore } = migration;
      expect(migration).toMatchObject({
        ipsAfter: ipsBefore,
        macAfter: macBefore,
        gatewayAfter: gatewayBefore,
        gatewayMacAfter: gatewayMacBefore,
      });
    }
    for (const vm of ['vm1', 'vm2']) {
      const own = result.migrations.filter((migration) => migration.vm === vm);
      expect(new Set(own.map(({ ipsAfter, macAfter }) => [...ipsAfter, macAfter].join())).size).toBe(1);
    }
  });

  test('no TCP stream lost a byte', () => {
    expect(result.migrations.map(({ tcpLostBytes }) => tcpLostBytes)).toEqual(result.migrations.map(() => 0));
  });

  test('OVN forwarded where the guest was', () => {
    for (const { outcome, chassis, from, to } of result.migrations) {
      expect(chassis).toBe(outcome === 'failed' || outcome === 'cancelled' ? from : to);
    }
  });

  test('nothing was left over when the VMs had been deleted', () => {
    expect(result.problems.filter((sentence) => sentence.startsWith('left over'))).toEqual([]);
  });
});
