import { cancelled } from './cancelled.ts';
import { failed } from './failed.ts';
import { postcopy } from './postcopy.ts';
import { precopy } from './precopy.ts';
import type { Scenario } from './scenario.ts';
import { stopStart } from './stop-start.ts';

export const scenarioNames = ['precopy', 'failed', 'cancelled', 'postcopy', 'stop-start'] as const;
export type ScenarioName = (typeof scenarioNames)[number];

/** Every scenario there is, in the order in which a run goes through them. */
export const scenarios: Readonly<Record<ScenarioName, Scenario>> = {
  precopy,
  failed,
  cancelled,
  postcopy,
  'stop-start': stopStart,
};
