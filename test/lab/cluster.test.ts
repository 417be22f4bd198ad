import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { podNetwork, runUpstreamSuite } from '#test/conformance/upstream-suite.ts';
import { whyNoKube } from '#test/kube/assets.ts';
import { type Cluster, startCluster } from './cluster/cluster.ts';
import { startKubeVirtOn } from './cluster/kubevirt-on-cluster.ts';
import { deploymentYaml } from './cluster/manifests.ts';
import { killAgents, podsOf, untilNoTraces } from './cluster/pods.ts';
import { runLab } from './run.ts';
import { run } from './topology/command.ts';

const why = whyNoKube();
if (why !== undefined) console.warn(`a cluster of real kubelets: skipped, because ${why}`);

describe.skipIf(why !== undefined)('a cluster of real kubelets and containerd, with Hawser as its only CNI', () => {
  let cluster: Cluster;
  // The first run on a machine builds Kubernetes.
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 3, log: () => {} });
  }, 30 * 60_000);
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  const rolledOut = (name: string) => cluster.kubectl(['rollout', 'status', `deployment/${name}`, '--timeout=100s']);
  const scale = (name: string, replicas: number) =>
    cluster.kubectl(['scale', `deployment/${name}`, `--replicas=${replicas}`]);
  const gone = (name: string) =>
    cluster.kubectl(['wait', '--for=delete', 'pod', '-l', `app=${name}`, '--timeout=100s']);

  test('pods of all nodes reach each other and every node, and nodes reach pods, on IPv4 and IPv6', async () => {
    await cluster.kubectl(['apply', '-f', '-'], deploymentYaml('web', 6));
    await rolledOut('web');
    const pods = await podsOf(cluster, 'web');
    expect(new Set(pods.map(({ node }) => node))).toEqual(new Set(cluster.nodes.map(({ name }) => name)));
    const addresses = pods.flatMap(({ ips }) => ips);
    expect(addresses).toHaveLength(12);
    const nodeAddresses = cluster.nodes.map(({ node }) => node.encapIp);
    for (const { name } of pods) {
      const urls = addresses.map((ip) => `http://${ip.includes(':') ? `[${ip}]` : ip}:8080/hostname`);
      const script = `curl -sS --fail --max-time 5 ${urls.join(' ')} >/dev/null`;
      await cluster.kubectl(['exec', name, '--', 'sh', '-c', script]);
    }
    for (const { node } of cluster.nodes) for (const ip of addresses) await node.exec('ping', ['-c1', '-W3', ip]);
    const [first] = pods;
    for (const ip of nodeAddresses) {
      // kubelet's own port: whoever is refused for having no certificate has been answered.
      await cluster.kubectl([
        'exec',
        first?.name ?? '',
        '--',
        'curl',
        '-sSk',
        '--max-time',
        '5',
        `https://${ip}:10250/pods`,
      ]);
    }
  });

  test('kubectl exec, logs and port-forward work', async () => {
    const [pod] = await podsOf(cluster, 'web');
    const name = pod?.name ?? '';
    expect(await cluster.kubectl(['exec', name, '--', 'hostname'])).toBe(`${name}\n`);
    expect(await cluster.kubectl(['logs', name])).toContain('Started HTTP server on port 8080');
    const script = `
      "$0" --kubeconfig="$1" port-forward "pod/$2" 18080:8080 >/dev/null & forward=$!
      trap 'kill $forward' EXIT
      for second in 1 2 3 4 5 6 7 8 9 10; do curl -sS --fail localhost:18080/hostname 2>/dev/null && exit; sleep 1; done
      exit 1`;
    const { plane, topology, kubectlPath } = cluster;
    const place = { netns: topology.central.netns, env: topology.env };
    expect(await run('sh', ['-c', script, kubectlPath, plane.innerKubeconfig, name], place)).toBe(name);
  });

  test('60 replicas roll out over the nodes, go, and leave nothing', async () => {
    await scale('web', 60);
    await rolledOut('web');
    const pods = await podsOf(cluster, 'web');
    expect(new Set(pods.flatMap(({ ips }) => ips)).size).toBe(120);
    await scale('web', 0);
    await gone('web');
    expect(await untilNoTraces(cluster, 30)).toEqual([]);
  });

  test('pods start and go while the node agents are killed', async () => {
    await scale('web', 30);
    await killAgents(cluster);
    await rolledOut('web');
    await scale('web', 0);
    await killAgents(cluster);
    await gone('web');
    expect(await untilNoTraces(cluster, 60)).toEqual([]);
  });

  test('a node is drained, removed and joins again', async () => {
    await scale('web', 6);
    await rolledOut('web');
    await cluster.kubectl(['drain', 'node-c', '--ignore-daemonsets', '--delete-emptydir-data', '--timeout=60s']);
    await rolledOut('web');
    expect((await podsOf(cluster, 'web')).map(({ node }) => node)).not.toContain('node-c');
    const last = cluster.nodes.at(-1);
    await last?.kubelet.kill();
    await cluster.kubectl(['delete', 'node', 'node-c']);
    await expect.poll(() => cluster.topology.nbctl('lsp-list', 'clusternetwork/default')).not.toContain('node/node-c');
    await last?.kubelet.start();
    await cluster.kubectl(['wait', '--for=create', 'node/node-c', '--timeout=60s']);
    await cluster.kubectl(['wait', '--for=condition=Ready', 'node/node-c', '--timeout=100s']);
    await scale('web', 12);
    await rolledOut('web');
    expect((await podsOf(cluster, 'web')).map(({ node }) => node)).toContain('node-c');
  });

  test("Kubernetes' own suite finds the pod network as it should be", async () => {
    const { passed, failed } = await runUpstreamSuite(cluster, podNetwork, () => {});
    expect(failed).toEqual([]);
    expect(passed).toHaveLength(4);
  }, 240_000);

  test('when all is deleted, nothing is left over', async () => {
    await cluster.kubectl(['delete', 'deployment', 'web']);
    await gone('web');
    expect(await untilNoTraces(cluster, 30)).toEqual([]);
  });

  test('VMs in real launcher pods migrate live, attached by direct tap and by managedTap, and keep all that their guests can see', async () => {
    await using lab = await startKubeVirtOn(cluster, () => {});
    const { migrations, problems, guests } = await runLab(lab, { vms: 2, scenarios: ['precopy'], log: () => {} });
    expect([...guests, ...migrations].flatMap((seen) => seen.problems)).toEqual([]);
    expect(problems).toEqual([]);
    expect(new Set(migrations.map(({ attach }) => attach))).toEqual(new Set(['tap', 'managedTap']));
  }, 240_000);
});
