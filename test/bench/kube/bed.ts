import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubeApi } from '#controller/kube/api.ts';
import { applyManifest } from '#test/kube/manifest.ts';
import { hawserController } from '#test/lab/control-plane.ts';
import { Api as KubeletApi } from '#test/lab/kubelet/api.ts';
import { realKubernetes } from '#test/lab/kubernetes/real.ts';
import { admitKubeVirt } from '#test/lab/kubevirt.ts';
import type { Daemon } from '#test/lab/topology/daemon.ts';
import { startTopology } from '#test/lab/topology/topology.ts';
import { prepare } from '#test/setup/prepare.ts';
import { buildProgram } from '../../../deploy/build.ts';
import { asDeployed } from '../as-deployed.ts';
import { nodeNames } from './pods.ts';
import { PortRows } from './port-rows.ts';

/** The OVN the peers were measured with. */
const ovn = '25.03';

const networkYaml = `
apiVersion: hawser.dev/v1alpha1
kind: ClusterNetwork
metadata: { name: default }
spec: { topology: overlay, subnets: [10.244.0.0/16, 'fd00:10:244::/64'] }
`;

/** A real control plane with three nodes that are only objects, a real OVN central, and our controller as it is shipped. */
export interface Bed extends AsyncDisposable {
  readonly api: KubeApi;
  readonly ports: PortRows;
  readonly controller: Daemon;
  readonly northd: Daemon;
  readonly northboundFile: string;
  /** Starts the controller and resolves with the seconds until it says that it is in sync. */
  startController(): Promise<number>;
}

export async function startBed(log: (line: string) => void): Promise<Bed> {
  await using stack = new AsyncDisposableStack();
  await prepare({ ovn, log });
  const topology = stack.use(await startTopology({ nodes: 0, ovn, log }));
  const { folder, env, central } = topology;
  const kubernetes = stack.use(await realKubernetes({ admit: admitKubeVirt, folder, env, log }));
  const { api, managers } = kubernetes;
  // Nothing here is theirs to do: pods are made bound, and two cores are few.
  for (const manager of managers) await manager.kill();
  const kubelet = new KubeletApi(kubernetes.asKubelet);
  for (const [index, name] of nodeNames.entries()) await kubelet.registerNode(name, [`192.0.2.${11 + index}`]);
  const live = async () => {
    for (const name of nodeNames) await kubelet.renewLease(name);
  };
  await live();
  const heartbeat = setInterval(() => void live().catch((error: unknown) => log(String(error))), 10_000);
  stack.defer(() => clearInterval(heartbeat));
  await applyManifest(api, networkYaml);
  const deployed = { manifest: 'controller.yaml', container: 'controller' };
  const command = await asDeployed(deployed, await buildProgram('controller'));
  const controller = stack.use(
    await hawserController(topology, kubernetes.controllerKubeconfig, { command, logLevel: 'info' }),
  );
  const ports = stack.use(await PortRows.follow(central.nbRemote));
  // A server tells its clients of a change in the order in which they came, and with two cores northd's work on a row would be measured too.
  await central.northd.kill();
  await central.northd.start();
  const whole = stack.move();
  return {
    api,
    ports,
    controller,
    northd: central.northd,
    northboundFile: join(central.runDir, 'nb.db'),
    startController: async () => {
      const read = statSync(controller.logFile, { throwIfNoEntry: false })?.size ?? 0;
      const began = Date.now();
      await controller.start();
      for (;;) {
        const said = (await readFile(controller.logFile, 'utf8')).slice(read);
        const inSync = /^\{.*"time":(\d+).*"msg":"in sync".*$/m.exec(said)?.[1];
        if (inSync !== undefined) return (Number(inSync) - began) / 1000;
        await delay(5);
      }
    },
    [Symbol.asyncDispose]: () => whole.disposeAsync(),
  };
}
