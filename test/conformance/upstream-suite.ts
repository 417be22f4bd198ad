import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { upstreamSuite } from '#test/kube/assets.ts';
import type { Cluster } from '#test/lab/cluster/cluster.ts';
import { Daemon } from '#test/lab/topology/daemon.ts';
import { type ConformanceResult, conformanceResult } from './report.ts';

/** Regular expressions over the names of specs, as ginkgo takes them; a spec that any of `focus` matches and none of `skip` is run. */
export interface Selection {
  readonly focus: readonly string[];
  readonly skip?: readonly string[];
}

/** Pods reach each other and their node, over HTTP and UDP; SCTP is a kernel module's matter. */
export const podNetwork: Selection = { focus: ['Granular Checks: Pods'], skip: ['SCTP'] };

/** kubelet's probes, which come from the node. */
export const probes: Selection = { focus: [String.raw`\[sig-node\] Probing container.*\[Conformance\]`] };

/** Runs a part of Kubernetes' own end-to-end suite against a cluster. It says what it does in `<folder of the cluster>/e2e.log`. */
export async function runUpstreamSuite(
  cluster: Cluster,
  { focus, skip = [] }: Selection,
  log: (line: string) => void,
): Promise<ConformanceResult> {
  const { topology, plane } = cluster;
  const report = join(topology.folder, 'e2e.json');
  const suite = new Daemon({
    name: 'e2e.test',
    command: await upstreamSuite(log),
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
    env: topology.env,
    netns: topology.central.netns,
    logFile: join(topology.folder, 'e2e.log'),
  });
  await suite.start();
  // Its exit status says no more than the report does.
  await suite.untilEnd();
  return conformanceResult(JSON.parse(await readFile(report, 'utf8')));
}
