import { liveMigrate, slowBandwidth } from './migration.ts';
import { otherNode } from './other-node.ts';
import type { Scenario, ScenarioContext, Step } from './scenario.ts';

/** The target's QEMU is killed while memory is being copied: the guest stays where it is. */
export const failed: Scenario = function* ({ lab, vm }: ScenarioContext): Iterable<Step> {
  const { node: from } = vm;
  const to = otherNode(lab, from);
  yield {
    kind: 'failed',
    from,
    to,
    expected: 'failed',
    endsOn: from,
    run: () =>
      liveMigrate(lab, vm, {
        to,
        configuration: { bandwidthPerMigration: slowBandwidth },
        whileCopying: async ({ target }) => {
          await target.machine?.kill();
        },
      }),
  };
};
