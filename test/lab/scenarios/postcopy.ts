import { liveMigrate, slowBandwidth } from './migration.ts';
import { otherNode } from './other-node.ts';
import type { Scenario, ScenarioContext, Step } from './scenario.ts';

/** A copy that would take too long is switched to post-copy: the guest runs on the target while its memory is being fetched. */
export const postcopy: Scenario = function* ({ lab, vm }: ScenarioContext): Iterable<Step> {
  const { node: from } = vm;
  const to = otherNode(lab, from);
  yield {
    kind: 'postcopy',
    from,
    to,
    expected: 'completed',
    endsOn: to,
    run: () =>
      liveMigrate(lab, vm, {
        to,
        // A second per GiB is an eighth of one for this guest; KubeVirt then switches over.
        configuration: { bandwidthPerMigration: slowBandwidth, allowPostCopy: true, completionTimeoutPerGiB: 1 },
      }),
  };
};
