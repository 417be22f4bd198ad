import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Daemon } from '#test/lab/topology/daemon.ts';
import type { TopologyNode } from '#test/lab/topology/node.ts';
import type { Topology } from '#test/lab/topology/topology.ts';

/** Our node agent on a node of the lab. */
export interface LabNodeAgent {
  readonly daemon: Daemon;
  /** Path of its unix socket. */
  readonly socket: string;
  /** What the node's runtime has in `/etc/cni/net.d`. */
  readonly cniConf: Readonly<Record<string, string>>;
  /** A request to its socket: status and body. */
  send(method: string, path: string, body?: object): Promise<AgentAnswer>;
}

export interface AgentAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * Starts the node agent in the node's namespace. It is ready when the node is a chassis and the ports requested for it are known.
 * @param changes to the configuration file.
 * @param command what runs it: Node.js and the sources when absent.
 */
export async function startNodeAgent(
  topology: Pick<Topology, 'central'>,
  node: TopologyNode,
  changes: Readonly<Record<string, unknown>> = {},
  [command, ...args]: readonly [string, ...string[]] = [process.execPath, mainFile],
): Promise<LabNodeAgent> {
  const socket = join(node.runDir, 'hawser', 'agent.sock');
  const configFile = join(node.runDir, 'hawser-agent.json');
  const config = {
    nodeName: node.name,
    socket,
    openVswitch: [`unix:${node.ovsSocket}`],
    southbound: [topology.central.sbTcp],
    datapathType: 'netdev',
    encap: { ip: node.encapIp },
    // Nobody writes rows of nodes where ports are written by hand.
    managementPort: false,
    ...changes,
  };
  await writeFile(configFile, JSON.stringify(config));
  const send = (method: string, path: string, body?: object) => sendTo(socket, method, path, body);
  const daemon = node.daemon({
    name: 'hawser-agent',
    command,
    args: [...args, '--config', configFile],
    ready: async (_, signal) => {
      for (;;) {
        signal.throwIfAborted();
        const answer = await send('GET', '/healthz').catch(() => undefined);
        if (answer?.status === 200) return;
        await delay(20);
      }
    },
  });
  await daemon.start();
  return { daemon, socket, cniConf: { cniVersion: '1.1.0', name: 'hawser', type: 'hawser', socket }, send };
}

const mainFile = fileURLToPath(new URL('../../../node-agent/main.ts', import.meta.url));

function sendTo(socketPath: string, method: string, path: string, body?: object): Promise<AgentAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<AgentAnswer>();
  const headers = body ? { 'content-type': 'application/json' } : {};
  const call = request({ socketPath, method, path, headers, agent: false }, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
    response.on('error', reject);
  });
  call.on('error', reject);
  call.end(body && JSON.stringify(body));
  return promise;
}
