import { liveMigrate } from './migration.ts';
import type { Scenario, ScenarioContext, Step } from './scenario.ts';

/** Round the nodes and home again: A→B→C→A. */
export const precopy: Scenario = function* ({ lab, vm }: ScenarioContext): Iterable<Step> {
  const names = lab.workers.map(({ name }) => name);
  const start = names.indexOf(vm.node);
  for (let hop = 0; hop < names.length; hop += 1) {
    const from = names[(start + hop) % names.length] ?? '';
    const to = names[(start + hop + 1) % names.length] ?? '';
    yield {
      kind: 'precopy',
      from,
      to,
      expected: 'completed',
      endsOn: to,
      run: () => liveMigrate(lab, vm, { to }),
    };
  }
};
