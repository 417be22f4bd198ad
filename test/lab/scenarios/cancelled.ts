import { liveMigrate, slowBandwidth } from './migration.ts';
import { otherNode } from './other-node.ts';
import type { Scenario, ScenarioContext, Step } from './scenario.ts';

/** The user deletes the VirtualMachineInstanceMigration while memory is being copied: the guest stays where it is. */
export const cancelled: Scenario = function* ({ lab, vm }: ScenarioContext): Iterable<Step> {
  const { node: from } = vm;
  const to = otherNode(lab, from);
  yield {
    kind: 'cancelled',
    from,
    to,
    expected: 'cancelled',
    endsOn: from,
    run: () =>
      liveMigrate(lab, vm, {
        to,
        configuration: { bandwidthPerMigration: slowBandwidth },
        whileCopying: async (_launchers, cancel) => cancel(),
      }),
  };
};
