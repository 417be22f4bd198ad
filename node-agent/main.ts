import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { type FastifyBaseLogger, type FastifyInstance, fastify } from 'fastify';
import { pino } from 'pino';
import { OvsdbClient } from '#ovsdb/client.ts';
import type { Status } from '#ovsdb/status.ts';
import { type Bindings, followBindings } from './bindings.ts';
import { serveCni } from './cni/server.ts';
import { statusProblem } from './cni/status.ts';
import { collect } from './collect.ts';
import { run } from './commands.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { followLocalSwitch } from './local-switch.ts';
import { createMetrics } from './metrics.ts';
import { RequestedPorts } from './requested-ports.ts';
import { serveTaps } from './taps-server.ts';

async function main(config: Config): Promise<void> {
  const log = pino({ level: config.logLevel });
  const stop = new AbortController();
  const signal = stop.signal;
  const metrics = createMetrics({
    portsPlugged: () => [...local.bridge.ports()].length,
    portsRequested: () => [...requested.all()].length,
    portsUnusable: () => [...requested.problems()].length,
  });
  const backoff = { firstMs: 100, longestMs: 4_000 };
  const switchClient = new OvsdbClient({
    remotes: config.openVswitch,
    backoff,
    onStatus: (status) => noteStatus('Open vSwitch', status),
  });
  const southboundClient = new OvsdbClient({
    remotes: config.southbound,
    leaderOnly: false,
    backoff,
    onStatus: (status) => noteStatus('southbound', status),
  });

  const requested = new RequestedPorts();
  let bindings: Bindings | undefined;
  const local = followLocalSwitch(
    switchClient,
    config,
    {
      onChassis: (outcome) => log.info({ outcome }, 'chassis settings'),
      onDeviceLost: (device) => {
        log.info({ device }, 'device of a port is gone');
        void collectLeftovers();
      },
    },
    { signal },
  );

  function noteStatus(database: string, status: Status): void {
    if (status.kind === 'disconnected') metrics.disconnected(database);
    const isTrouble = ['disconnected', 'unsuitable', 'monitorRefused'].includes(status.kind);
    if (isTrouble) log.warn({ database, status }, 'database connection');
    else log.info({ database, kind: status.kind }, 'database connection');
  }

  async function collectLeftovers(): Promise<void> {
    if (!local.isInSync || !bindings?.isInSync || !bindings.isChassisKnown) return;
    try {
      const found = await collect(local.bridge, requested.all(), run);
      const ports = found.ports.map(({ device, logicalPort }) => ({ device, logicalPort }));
      if (ports.length + found.devices.length > 0) log.info({ ports, devices: found.devices }, 'leftovers removed');
    } catch (error) {
      log.warn({ err: error }, 'leftovers not removed');
    }
  }

  // Serving starts before the databases are there: STATUS then says what is missing, and ADD waits for it.
  const loggerInstance: FastifyBaseLogger = log;
  const app = fastify({ loggerInstance, disableRequestLogging: true, forceCloseConnections: true });
  const limits = { portTimeoutSeconds: config.portTimeoutSeconds, installTimeoutSeconds: config.installTimeoutSeconds };
  const checksumOffload = config.datapathType === 'system';
  const health = () => ({
    switchInSync: local.isInSync,
    southboundInSync: bindings?.isInSync ?? false,
    chassisKnown: bindings?.isChassisKnown ?? false,
  });
  serveCni(app, {
    requested,
    bridge: local.bridge,
    plumbing: { run, checksumOffload },
    tapOwner: config.tapOwner,
    health,
    onPhase: metrics.addPhase,
    onRequest: metrics.request,
    ...limits,
  });
  serveTaps(app, { requested, bridge: local.bridge, run, checksumOffload, tapOwner: config.tapOwner, ...limits });
  app.get('/healthz', async (_, reply) => {
    const problem = statusProblem(health());
    return await reply.code(problem ? 503 : 200).send(problem?.message ?? 'ok');
  });
  app.get('/metrics', async (_, reply) => await reply.type('text/plain; version=0.0.4').send(await metrics.text()));
  await listen(app, config.socket);
  log.info({ socket: config.socket, node: config.nodeName }, 'node agent serves');

  const shutDown = async (): Promise<void> => {
    stop.abort();
    await app.close();
    await Promise.all([switchClient.close(), southboundClient.close()]);
  };
  process.once('SIGTERM', () => void shutDown());
  process.once('SIGINT', () => void shutDown());

  try {
    await local.synced;
    bindings = await followBindings(southboundClient, config.nodeName, requested, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
    return;
  }
  await collectLeftovers();
}

/** Only root may connect: whoever can plug a port is on the network of its owner. */
async function listen(app: FastifyInstance, socket: string): Promise<void> {
  await mkdir(dirname(socket), { recursive: true, mode: 0o700 });
  await rm(socket, { force: true }); // left behind by a kill -9
  const before = process.umask(0o177);
  try {
    await app.listen({ path: socket });
  } finally {
    process.umask(before);
  }
}

const { values } = parseArgs({ options: { config: { type: 'string' } } });
try {
  if (!values.config) throw new ConfigError('usage: main.ts --config FILE');
  await main(await readConfig(values.config));
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(`hawser node agent: ${error.message}`);
  process.exitCode = 1;
}
