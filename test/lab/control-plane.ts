import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Daemon } from './topology/daemon.ts';
import type { Topology } from './topology/topology.ts';

export interface ControllerProcess {
  /** What runs it, without its own flags; Node.js and the sources when absent. */
  readonly command?: readonly [string, ...string[]];
  readonly logLevel?: 'debug' | 'info';
}

/** Our controller as a process of the lab, which can be killed and started again. Its log is `controller.log`. */
export async function hawserController(
  topology: Pick<Topology, 'folder' | 'central'>,
  kubeconfig: string,
  { command: [command, ...words] = fromSources, logLevel = 'debug' }: ControllerProcess = {},
): Promise<Daemon> {
  const { folder, central } = topology;
  const [kubeconfigFile, configFile] = [join(folder, 'kubeconfig'), join(folder, 'controller.json')];
  await writeFile(kubeconfigFile, kubeconfig);
  const config = {
    northbound: [central.nbRemote],
    southbound: [central.sbRemote],
    kubeconfig: kubeconfigFile,
    logLevel,
  };
  await writeFile(configFile, JSON.stringify(config));
  return new Daemon({
    name: 'controller',
    command,
    args: [...words, '--config', configFile],
    env: central.env,
    logFile: join(folder, 'controller.log'),
  });
}

const fromSources = [process.execPath, join(import.meta.dirname, '../../controller/main.ts')] as const;
