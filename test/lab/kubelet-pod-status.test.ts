import { expect, test } from 'vitest';
import type { Pod } from './kubelet/pod.ts';
import { podStatus } from './kubelet/pod-status.ts';

const t0 = '2026-07-27T10:00:00Z';
const t1 = '2026-07-27T10:00:05Z';
const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'virt-launcher-db', namespace: 'default', uid: 'p1', resourceVersion: '1' },
  spec: {
    nodeName: 'node-a',
    containers: [{ name: 'compute', image: 'launcher' }],
    readinessGates: [{ conditionType: 'kubevirt.io/virtual-machine-unpaused' }],
  },
};
const running = { kind: 'running', podIPs: ['10.244.0.5', 'fd00:10:244::5'], startedAt: t0 } as const;
const condition = (status: ReturnType<typeof podStatus>, type: string) =>
  status.conditions?.find((candidate) => candidate.type === type);

test('a running pod is Ready once every gate is True, and only a change moves the time of a condition', () => {
  const gateClosed = podStatus(pod, running, ['192.0.2.11'], t0);
  expect(condition(gateClosed, 'Ready')).toEqual({
    type: 'Ready',
    status: 'False',
    reason: 'ReadinessGatesNotReady',
    lastTransitionTime: t0,
  });
  const gate = { type: 'kubevirt.io/virtual-machine-unpaused', status: 'True' } as const;
  const withGate = { ...pod, status: { ...gateClosed, conditions: [...(gateClosed.conditions ?? []), gate] } };
  const gateOpen = podStatus(withGate, running, ['192.0.2.11'], t1);
  expect(condition(gateOpen, 'Ready')).toEqual({ type: 'Ready', status: 'True', lastTransitionTime: t1 });
  expect(condition(gateOpen, 'ContainersReady')).toEqual({
    type: 'ContainersReady',
    status: 'True',
    lastTransitionTime: t0,
  });
  expect(condition(gateOpen, gate.type)).toEqual(gate);
});

test('a completed pod keeps its addresses and says why it is not Ready', () => {
  const before = podStatus(pod, running, ['192.0.2.11'], t0);
  const after = podStatus(
    { ...pod, status: before },
    { kind: 'exited', exitCode: 0, finishedAt: t1 },
    ['192.0.2.11'],
    t1,
  );
  expect(after).toMatchObject({ phase: 'Succeeded', podIP: '10.244.0.5', startTime: t0 });
  expect(condition(after, 'Ready')).toMatchObject({ status: 'False', reason: 'PodCompleted' });
});

test('a pod whose container failed is Failed', () => {
  const after = podStatus(pod, { kind: 'exited', exitCode: 137, finishedAt: t1 }, ['192.0.2.11'], t1);
  expect(after).toMatchObject({ phase: 'Failed', containerStatuses: [{ state: { terminated: { exitCode: 137 } } }] });
});

test('computing a status again changes nothing', () => {
  const once = podStatus(pod, running, ['192.0.2.11'], t0);
  expect(podStatus({ ...pod, status: once }, running, ['192.0.2.11'], t1)).toEqual(once);
});
