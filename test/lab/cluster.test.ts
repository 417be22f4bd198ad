import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { podNetwork, runUpstreamSuite } from '#test/conformance/upstream-suite.ts';
import { whyNoNodes } from '#test/kube/assets.ts';
import { type Cluster, startCluster } from './cluster/cluster.ts';
import { startKubeVirtOn } from './cluster/kubevirt-on-cluster.ts';
import { deploymentYaml, hostPortYaml, noIngressYaml, twoNicsYaml } from './cluster/manifests.ts';
import { installMultus } from './cluster/multus.ts';
import { killAgents, podsOf, podTraces, untilNoPods, untilNoTraces } from './cluster/pods.ts';
import { precopyOverheadMs } from './results.ts';
import { runLab } from './run.ts';
import { run } from './topology/command.ts';

const why = whyNoNodes();
if (why !== undefined) console.warn(`a cluster of real kubelets: skipped, because ${why}`);

/** How many pods start at once: docs/lab.md. */
const podsAtOnce = Number(process.env.HAWSER_PODS_AT_ONCE ?? 60);

/** The controller that led may have gone with its node: then another one does when the Lease has been left alone for 15 s, and reads all there is. */
const afterElection = { timeout: 90_000 };

describe.skipIf(why !== undefined)('a cluster of real kubelets and containerd, with Hawser as its only CNI', () => {
  let cluster: Cluster;
  // The first run on a machine builds Kubernetes.
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 3, laterNames: ['node-d'], log: () => {} });
    await cluster.kubectl(['apply', '-f', '-'], deploymentYaml('web', 6));
    await rolledOut('web');
  }, 30 * 60_000);
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  const rolledOut = (name: string) => cluster.kubectl(['rollout', 'status', `deployment/${name}`, '--timeout=200s']);
  const scale = (name: string, replicas: number) =>
    cluster.kubectl(['scale', `deployment/${name}`, `--replicas=${replicas}`]);
  const gone = (name: string) => untilNoPods(cluster, name, 200);

  describe.concurrent('with a few pods', () => {
    test('pods of all nodes reach each other and every node, and nodes reach pods, on IPv4 and IPv6', async () => {
      const pods = await podsOf(cluster, 'web');
      expect(new Set(pods.map(({ node }) => node))).toEqual(new Set(cluster.nodes.map(({ name }) => name)));
      const addresses = pods.flatMap(({ ips }) => ips);
      expect(addresses).toHaveLength(12);
      // kubelet's own port: whoever is refused for having no certificate has been answered.
      const kubelets = cluster.nodes.map(({ node }) => `https://${node.encapIp}:10250/pods`).join(' ');
      const urls = addresses.map((ip) => `http://${ip.includes(':') ? `[${ip}]` : ip}:8080/hostname`).join(' ');
      const script = `curl -sS --fail --max-time 10 ${urls} && curl -sSk --max-time 10 ${kubelets}`;
      await Promise.all(pods.map(({ name }) => cluster.kubectl(['exec', name, '--', 'sh', '-ec', script])));
      await Promise.all(cluster.nodes.map(({ node }) => node.exec('sh', ['-ec', pingAll, 'sh', ...addresses])));
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

    test("kubelet's probes reach a pod that a policy lets nobody into, and nobody else does", async () => {
      await cluster.kubectl(['apply', '-f', '-'], noIngressYaml('guarded'));
      await cluster.kubectl(['apply', '-f', '-'], deploymentYaml('guarded', 3));
      await rolledOut('guarded');
      const [guarded] = await podsOf(cluster, 'guarded');
      const [outsider] = await podsOf(cluster, 'web');
      for (const ip of guarded?.ips ?? []) {
        const url = `http://${ip.includes(':') ? `[${ip}]` : ip}:8080/hostname`;
        const asked = cluster.kubectl(['exec', outsider?.name ?? '', '--', 'curl', '-sS', '--max-time', '2', url]);
        await expect(asked).rejects.toThrow('timed out');
        const itsNode = cluster.nodes.find(({ name }) => name === guarded?.node);
        expect(await itsNode?.node.exec('curl', ['-sS', '--max-time', '10', url])).toBe(guarded?.name);
      }
      await cluster.kubectl(['delete', 'deployment/guarded', 'networkpolicy/guarded']);
      await gone('guarded');
    });

    test("a pod's hostPort is open on its node", async () => {
      await cluster.kubectl(['apply', '-f', '-'], hostPortYaml('published', 'node-a', 18090));
      await cluster.kubectl(['wait', '--for=condition=Ready', 'pod/published', '--timeout=100s']);
      const node = cluster.topology.node('node-a');
      const url = `http://${node.encapIp}:18090/hostname`;
      expect(await node.exec('curl', ['-sS', '--max-time', '10', url])).toBe('published');
      await cluster.kubectl(['delete', 'pod/published']);
    });

    test("Kubernetes' own suite finds the pod network as it should be", async () => {
      const { passed, failed } = await runUpstreamSuite(cluster, podNetwork, () => {});
      expect(failed).toEqual([]);
      expect(passed).toHaveLength(4);
    }, 240_000);
  });

  test('Multus gives pods their first NIC and a second one by a NetworkAttachmentDefinition, and takes both away', async () => {
    await using _ = await installMultus(cluster, cluster.nodes.slice(0, 2));
    await cluster.kubectl(['apply', '-f', '-'], secondNicYaml);
    const nodeOf = { left: 'node-a', right: 'node-b' };
    for (const [name, node] of Object.entries(nodeOf))
      await cluster.kubectl(['apply', '-f', '-'], twoNicsYaml(name, node));
    await cluster.kubectl(['wait', '--for=condition=Ready', 'pod/left', 'pod/right', '--timeout=100s']);
    const column = 'jsonpath={.metadata.annotations.k8s\\.v1\\.cni\\.cncf\\.io/network-status}';
    const status: unknown = JSON.parse(await cluster.kubectl(['get', 'pod/right', '-o', column]));
    expect(status).toMatchObject([
      { name: 'hawser', interface: 'eth0', default: true },
      { name: 'default/backend', interface: 'net1', ips: [expect.stringMatching(/^10\.20\.0\./), expect.any(String)] },
    ]);
    const [, further] = networkStatus.parse(status);
    const urls = further?.ips.map((ip) => `http://${ip.includes(':') ? `[${ip}]` : ip}:8080/hostname`) ?? [];
    const asked = ['exec', 'left', '--', 'curl', '-sS', '--fail', '--max-time', '10', '--interface', 'net1', ...urls];
    expect(await cluster.kubectl(asked)).toBe('rightright');
    await cluster.kubectl(['delete', 'pod/left', 'pod/right']);
    await cluster.kubectl(['delete', 'network-attachment-definition/backend', 'network.hawser.dev/backend']);
    const left = async () => (await podTraces(cluster)).filter((trace) => /left|right/.test(trace));
    await expect.poll(left, { timeout: 30_000 }).toEqual([]);
  }, 150_000);

  test(`${podsAtOnce} pods start and go at once, with the node agents killed in the middle, and leave nothing`, async () => {
    await scale('web', podsAtOnce);
    const isUp = async () => (await podsOf(cluster, 'web')).filter(({ ips }) => ips.length > 0).length;
    await expect.poll(isUp, { timeout: 100_000, interval: 500 }).toBeGreaterThan(podsAtOnce / 3);
    await killAgents(cluster, cluster.nodes.slice(0, 2));
    await rolledOut('web');
    const pods = await podsOf(cluster, 'web');
    expect(new Set(pods.flatMap(({ ips }) => ips)).size).toBe(2 * podsAtOnce);
    await scale('web', 0);
    await killAgents(cluster, cluster.nodes.slice(2));
    await gone('web');
    expect(await untilNoTraces(cluster, 60)).toEqual([]);
  }, 400_000);

  test('a node is drained, lost and removed, and joins again under the same and under a new name', async () => {
    const { topology } = cluster;
    const last = cluster.nodes.at(-1);
    if (last === undefined) throw new Error('there is no node');
    const names = async (text: Promise<string>) => (await text).split(/\s+/).filter(Boolean).sort();
    const chassis = () => names(topology.sbctl('--bare', '--columns=name', 'list', 'Chassis'));
    const nodePorts = async () => {
      const found = await names(topology.nbctl('--bare', '--columns=name', 'list', 'Logical_Switch_Port'));
      return found.filter((name) => name.startsWith('node/'));
    };
    const deleted = () => cluster.kubectl(['delete', 'node', 'node-c']);
    const ready = async (name: string) => {
      await cluster.kubectl(['wait', '--for=create', `node/${name}`, '--timeout=60s']);
      await cluster.kubectl(['wait', '--for=condition=Ready', `node/${name}`, '--timeout=100s']);
    };
    await scale('web', 6);
    await rolledOut('web');
    await cluster.kubectl(['drain', 'node-c', '--ignore-daemonsets', '--delete-emptydir-data', '--timeout=60s']);
    await rolledOut('web');
    expect((await podsOf(cluster, 'web')).map(({ node }) => node)).not.toContain('node-c');

    // The machine is just gone.
    await Promise.all([last.kubelet.kill(), last.node.ovnController.kill()]);
    await deleted();
    await expect.poll(nodePorts, afterElection).toEqual(['node/node-a', 'node/node-b']);
    await expect.poll(chassis, afterElection).toEqual(['node-a', 'node-b']);
    await Promise.all([last.kubelet.start(), last.node.ovnController.start()]);
    await ready('node-c');
    await expect.poll(chassis, afterElection).toEqual(['node-a', 'node-b', 'node-c']);

    await last.kubelet.kill();
    await deleted();
    await cluster.joinAs(last, 'node-d');
    await ready('node-d');
    // The node is Ready by the configuration that node-c has left; a pod that finds no agent waits ten seconds and more for kubelet's next try.
    await cluster.kubectl([
      'rollout',
      'status',
      'daemonset/hawser-node-agent',
      '-n',
      'hawser-system',
      '--timeout=100s',
    ]);
    await scale('web', 9);
    await rolledOut('web');
    expect((await podsOf(cluster, 'web')).map(({ node }) => node)).toContain('node-d');
    await expect.poll(nodePorts, afterElection).toEqual(['node/node-a', 'node/node-b', 'node/node-d']);
    await expect.poll(chassis, afterElection).toEqual(['node-a', 'node-b', 'node-d']);
    const plugged = () => last.node.vsctl('--bare', '--columns=external_ids', 'list', 'Interface');
    await expect.poll(plugged).not.toContain('node/node-c');
    await cluster.kubectl(['delete', 'deployment', 'web']);
    await gone('web');
    expect(await untilNoTraces(cluster, 30)).toEqual([]);
  }, 240_000);

  test('VMs in real launcher pods migrate live, attached by direct tap and by managedTap, and keep all that their guests can see', async () => {
    await using lab = await startKubeVirtOn(cluster, cluster.nodes.slice(0, 2), () => {});
    const { migrations, problems, guests } = await runLab(lab, { vms: 2, scenarios: ['precopy'], log: () => {} });
    expect([...guests, ...migrations].flatMap((seen) => seen.problems)).toEqual([]);
    expect(problems.filter((sentence) => sentence.startsWith('left over'))).toEqual([]);
    const overhead = precopyOverheadMs(migrations);
    console.log('longest gap less QEMU downtime, median, ms:', overhead);
    expect(Math.max(overhead?.v4 ?? NaN, overhead?.v6 ?? NaN)).toBeLessThan(allowedOverheadMs);
    expect(migrations.map(({ attach, from, to }) => `${attach} ${from}→${to}`)).toEqual([
      'tap node-a→node-b',
      'tap node-b→node-a',
      'managedTap node-a→node-b',
      'managedTap node-b→node-a',
    ]);
  }, 240_000);
});

/** Three kubelets and a control plane share the machine with the guests; `npm run lab` holds migrations to the tighter bar. */
const allowedOverheadMs = 300;

/** The Network and the NetworkAttachmentDefinition of the user's example, without its VM. */
const secondNicYaml = readFileSync(join(import.meta.dirname, '../../docs/examples/second-nic.yaml'), 'utf8')
  .split(/^---$/m)
  .filter((document) => !document.includes('kind: VirtualMachine'))
  .join('---');

/** What Multus writes on a pod, the annotation `k8s.v1.cni.cncf.io/network-status`. */
const networkStatus = z.array(z.object({ interface: z.string(), ips: z.array(z.string()) }));

/** Asks all addresses at the same time. */
const pingAll = 'for ip; do ping -c1 -W5 "$ip" & pids="$pids $!"; done; for pid in $pids; do wait "$pid"; done';
