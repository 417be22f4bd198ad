import { otherNode } from './other-node.ts';
import type { Scenario, ScenarioContext, Step } from './scenario.ts';

/** The VM is stopped and started on another node: a new VMI, a new launcher pod, a guest that boots, and the same addresses. */
export const stopStart: Scenario = function* ({ lab, vm, observation }: ScenarioContext): Iterable<Step> {
  const { node: from } = vm;
  const to = otherNode(lab, from);
  yield {
    kind: 'stop-start',
    from,
    to,
    expected: 'restarted',
    endsOn: to,
    run: async () => {
      await vm.stop();
      await vm.start(to);
      await observation.renewStream();
      return { outcome: 'restarted', qemuDowntimeMs: null, stoppedMs: null };
    },
  };
};
