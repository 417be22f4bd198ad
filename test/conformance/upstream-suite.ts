import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { upstreamSuite } from '#test/kube/assets.ts';
import type { Cluster } from '#test/lab/cluster/cluster.ts';
import { Daemon } from '#test/lab/topology/daemon.ts';
import { type ConformanceResult, conformanceResult, merged } from './report.ts';

/** Regular expressions over the names of specs, as ginkgo takes them; a spec that any of `focus` matches and none of `skip` is run. */
export interface Selection {
  readonly focus: readonly string[];
  readonly skip?: readonly string[];
  /** Whether what each of `focus` matches runs at the same time as the others: such specs mostly wait. */
  readonly atOnce?: boolean;
}

/** Pods reach each other and their node, over HTTP and UDP; SCTP is a kernel module's matter. */
export const podNetwork: Selection = {
  focus: [
    'intra-pod communication: http',
    'intra-pod communication: udp',
    'node-pod communication: http',
    'node-pod communication: udp',
  ].map((name) => `Granular Checks: Pods should function for ${name}`),
  atOnce: true,
};

/** kubelet's probes, which come from the node. */
export const probes: Selection = { focus: [String.raw`\[sig-node\] Probing container.*\[Conformance\]`] };

/** Runs a part of Kubernetes' own end-to-end suite against a cluster. It says what it does in `<folder of the cluster>/e2e-*.log`. */
export async function runUpstreamSuite(
  cluster: Cluster,
  { focus, skip = [], atOnce = false }: Selection,
  log: (line: string) => void,
): Promise<ConformanceResult> {
  const program = await upstreamSuite(log);
  const parts = atOnce ? focus.map((expression) => [expression]) : [focus];
  const results = await Promise.all(
    parts.map((part, index) => runPart(cluster, program, { focus: part, skip }, `e2e-${index + 1}`)),
  );
  return merged(results);
}

async function runPart(
  { topology, plane }: Cluster,
  program: string,
  { focus, skip = [] }: Selection,
  name: string,
): Promise<ConformanceResult> {
  const report = join(topology.folder, `${name}.json`);
  const suite = new Daemon({
    name,
    command: program,
    args: [
      `--kubeconfig=${plane.innerKubeconfig}`,
      '--provider=skeleton',
      ...focus.map((expression) => `--ginkgo.focus=${expression}`),
      ...skip.map((expression) => `--ginkgo.skip=${expression}`),
      `--ginkgo.json-report=${report}`,
      '--ginkgo.no-color',
      // Their own hours-long limit is for all of it; a part ends with its specs.
      '--ginkgo.timeout=6h',
    ],
    // Some specs make folders when they are declared, and leave them: those go with the cluster's.
    env: { ...topology.env, TMPDIR: topology.folder },
    netns: topology.central.netns,
    logFile: join(topology.folder, `${name}.log`),
  });
  await suite.start();
  // Its exit status says no more than the report does.
  await suite.untilEnd();
  return conformanceResult(JSON.parse(await readFile(report, 'utf8')));
}
