import { parseArgs } from 'node:util';
import { type ScenarioName, scenarioNames } from './scenarios/index.ts';

export interface Flags {
  readonly nodes: number;
  readonly vms: number;
  /** OVN version; absent: the machine's own. */
  readonly ovn?: string;
  /** A control plane of the real programs instead of the stand-in. */
  readonly realKube: boolean;
  /** Only the cluster, with real container runtimes and kubelets, and left running. */
  readonly cluster: boolean;
  readonly scenarios: readonly ScenarioName[];
  readonly json?: string;
  readonly keep: boolean;
  readonly down: boolean;
}

/** The user's command line is not understood; the message is for that person. */
export class FlagError extends Error {
  override readonly name = 'FlagError';
}

export const usage = `usage: npm run lab -- [--nodes N] [--vms N] [--ovn VERSION] [--real-kube] [--cluster] [--scenario NAME[,NAME]] [--json FILE] [--keep] [--down]
  --nodes N          nodes, 2 to 20 (3)
  --vms N            virtual machines, attached by managedTap and direct tap in turn, 1 to 20 (2)
  --ovn VERSION      OVN and Open vSwitch of another Debian in a root of their own: 25.03 (the machine's own)
  --real-kube        on a real kube-apiserver, which the first time is built with Go
  --cluster          a cluster of real kubelets and containerd, left running for kubectl; no scenarios
  --scenario NAMES   of ${scenarioNames.join(', ')} (all)
  --json FILE        the table as data
  --keep             leave it running and say how to look around
  --down             take down what --keep or --cluster left`;

export function parseFlags(args: readonly string[]): Flags {
  let values: ReturnType<typeof parse>['values'];
  try {
    ({ values } = parse(args));
  } catch (error) {
    throw new FlagError(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  }
  const scenarios = (values.scenario?.split(',') ?? [...scenarioNames]).map((name) => {
    const known = scenarioNames.find((candidate) => candidate === name);
    if (known === undefined) throw new FlagError(`there is no scenario "${name}", only ${scenarioNames.join(', ')}`);
    return known;
  });
  return {
    nodes: whole('--nodes', values.nodes ?? '3', 2),
    vms: whole('--vms', values.vms ?? '2', 1),
    realKube: values['real-kube'] ?? false,
    cluster: values.cluster ?? false,
    scenarios,
    keep: values.keep ?? false,
    down: values.down ?? false,
    ...(values.ovn !== undefined && { ovn: values.ovn }),
    ...(values.json !== undefined && { json: values.json }),
  };
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      nodes: { type: 'string' },
      vms: { type: 'string' },
      ovn: { type: 'string' },
      'real-kube': { type: 'boolean' },
      cluster: { type: 'boolean' },
      scenario: { type: 'string' },
      json: { type: 'string' },
      keep: { type: 'boolean' },
      down: { type: 'boolean' },
    },
  });
}

function whole(flag: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > 20) {
    throw new FlagError(`${flag} takes a whole number from ${least} to 20, not "${text}"`);
  }
  return value;
}
