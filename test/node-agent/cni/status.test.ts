import { expect, test } from 'vitest';
import { statusProblem } from '#node-agent/cni/status.ts';

const well = { switchInSync: true, southboundInSync: true, chassisKnown: true, managementPortMade: true };

test.each([
  ['everything is there', {}, undefined, ''],
  [
    'the local switch is away: running pods may suffer',
    { switchInSync: false, southboundInSync: false },
    51,
    'Open vSwitch',
  ],
  ['southbound is away: running pods do not care', { southboundInSync: false }, 50, 'southbound'],
  ['ovn-controller has not registered', { chassisKnown: false }, 50, 'ovn-controller'],
  ['kubelet could not reach what ADD makes', { managementPortMade: false }, 50, 'management port'],
])('STATUS when %s', (_, changes, code, word) => {
  const problem = statusProblem({ ...well, ...changes });
  expect(problem?.code).toBe(code);
  expect(problem?.message ?? '').toContain(word);
});
