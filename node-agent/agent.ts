import { once } from 'node:events';
import { type FastifyBaseLogger, fastify, LogController } from 'fastify';
import type { Logger } from 'pino';
import { OvsdbClient } from '#ovsdb/client.ts';
import type { Status } from '#ovsdb/status.ts';
import { type Bindings, followBindings } from './bindings.ts';
import { ConfFile, networkConf } from './cni/conf-file.ts';
import { installPlugin } from './cni/install.ts';
import { pluginSocket } from './cni/plugin-script.ts';
import { createPluginServer } from './cni/plugin-server.ts';
import { cniServer } from './cni/server.ts';
import { type NodeHealth, statusProblem } from './cni/status.ts';
import {
  type Device,
  type Leftovers,
  leftoverLocalports,
  leftoverPodPorts,
  leftoverTaps,
  listDevices,
  removeLeftovers,
} from './collect.ts';
import { run } from './commands.ts';
import type { Config } from './config.ts';
import { removeFormerChassis } from './former-chassis.ts';
import { GuestServers } from './guest-servers/guest-servers.ts';
import { serveOffers } from './guest-servers/offers.ts';
import { segmentWays } from './guest-servers/ways.ts';
import { followLocalSwitch } from './local-switch.ts';
import { ManagementPort } from './management-port.ts';
import { createMetrics } from './metrics.ts';
import { applyPhysicalNetworks } from './physical-networks.ts';
import { RequestedPorts } from './requested-ports.ts';
import { listenForRoot, throwIfOthersReach } from './socket-access.ts';
import { serveTaps } from './taps-server.ts';
import { portsAboveTunnelMtu, tunnelMtuBytes } from './tunnel-mtu.ts';

/** The agent's parts, put together. */
export interface Agent extends AsyncDisposable {
  /**
   * Answers on the unix sockets.
   * @throws SocketExposed when others than root could reach them.
   */
  listen(): Promise<void>;
  /**
   * Follows the databases; resolves when the node is in sync and leftovers of before are gone.
   * Rejects when a database refuses to be followed.
   */
  start(): Promise<void>;
}

/** Nothing is started or connected yet but the two database clients. */
export function createAgent(config: Config, log: Logger): Agent {
  const stop = new AbortController();
  const { signal } = stop;
  const requested = new RequestedPorts();
  let bindings: Bindings | undefined;
  const metrics = createMetrics({
    portsPlugged: () => [...local.bridge.ports()].length,
    portsRequested: () => [...requested.all()].length,
    portsUnusable: () => [...requested.problems()].length,
    tunnelMtuBytes: () => mtuBytes,
    portsTooLarge: () => tooLarge().length,
    guestServers: () => guestServers.tallies(),
  });
  let mtuBytes: number | undefined;
  const tooLarge = () => portsAboveTunnelMtu(requested.all(), mtuBytes);
  const confFile =
    config.cni &&
    new ConfFile({
      path: config.cni.confFile,
      conf: networkConf(config.socket, config.cni.chained, config.cni.newestVersion),
      withdrawAfterSeconds: config.cni.withdrawAfterSeconds,
      onOutcome: (outcome) => log.info({ outcome, path: config.cni?.confFile }, 'CNI configuration file'),
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
  const local = followLocalSwitch(
    switchClient,
    config,
    {
      onChassis: (outcome) => log.info({ outcome }, 'chassis settings'),
      onDeviceLost: (device) => {
        log.info({ device }, 'device of a port is gone');
        if (device === managementPort?.hostDevice) managementPort.wake();
        void collect((devices) => leftoverPodPorts(local.bridge.ports(), devices));
      },
    },
    { signal },
  );
  const health = (): NodeHealth => ({
    switchInSync: local.isInSync,
    southboundInSync: bindings?.isInSync ?? false,
    chassisKnown: bindings?.isChassisKnown ?? false,
    managementPortMade: managementPort?.isMade ?? true,
  });
  const plumbing = { run, checksumOffload: config.datapathType === 'system' };
  const managementPort =
    config.managementPort === false
      ? undefined
      : new ManagementPort({
          logicalPort: `node/${config.nodeName}`,
          device: config.managementPort,
          requested,
          bridge: local.bridge,
          plumbing,
          isInSync: () => local.isInSync && (bindings?.isInSync ?? false) && (bindings?.isChassisKnown ?? false),
          onOutcome: (outcome) => {
            if (typeof outcome === 'string') log.info({ outcome }, 'management port');
            else log.warn({ err: outcome.failed }, 'management port not made, trying again');
            noteHealth();
          },
        });

  const guestServers = new GuestServers({
    ...segmentWays(config, local.bridge, run),
    onTrouble: (segment, error, retryMs) => log.warn({ err: error, segment, retryMs }, 'server of guests'),
  });

  function noteStatus(database: string, status: Status): void {
    if (status.kind === 'disconnected') {
      metrics.disconnected(database);
      log.warn({ database, remote: status.remote, reason: status.cause.message }, 'database disconnected');
    } else {
      log.info({ database, status }, 'database connection');
    }
    noteHealth();
  }

  /** Looks once what is being told has taken effect. */
  function noteHealth(): void {
    setImmediate(() => {
      if (!signal.aborted) confFile?.serving(statusProblem(health()) === undefined);
    });
  }

  async function collect(find: (devices: readonly Device[]) => Leftovers): Promise<void> {
    if (!local.isInSync) return;
    try {
      const found = find(await listDevices(run));
      await removeLeftovers(found, local.bridge, run);
      const ports = found.ports.map(({ device, logicalPort }) => ({ device, logicalPort }));
      if (ports.length + found.devices.length > 0) log.info({ ports, devices: found.devices }, 'leftovers removed');
    } catch (error) {
      log.warn({ err: error }, 'leftovers not removed');
    }
  }

  const loggerInstance: FastifyBaseLogger = log;
  const app = fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
  });
  app.addHook('onRequest', () => throwIfOthersReach(config.socket));
  const shared = {
    requested,
    bridge: local.bridge,
    tapOwner: config.tapOwner,
    portTimeoutSeconds: config.portTimeoutSeconds,
    installTimeoutSeconds: config.installTimeoutSeconds,
  };
  serveOffers(app, requested, guestServers);
  const pluginServer = createPluginServer(
    cniServer({
      ...shared,
      plumbing,
      health,
      checkAccess: () => throwIfOthersReach(pluginSocket(config.socket)),
      log,
      onPhase: metrics.addPhase,
      onRequest: metrics.request,
    }),
  );
  const switchKnown = Promise.withResolvers<void>();
  serveTaps(app, { ...shared, ...plumbing, switchKnown: switchKnown.promise });
  app.get('/healthz', async (_, reply) => {
    const problem = statusProblem(health());
    return await reply.code(problem ? 503 : 200).send(problem?.message ?? 'ok');
  });
  app.get('/metrics', async (_, reply) => await reply.type('text/plain; version=0.0.4').send(await metrics.text()));

  return {
    listen: async () => {
      await listenForRoot(config.socket, (path) => app.listen({ path }));
      await listenForRoot(
        pluginSocket(config.socket),
        async (path) => await once(pluginServer.listen(path), 'listening'),
      );
    },
    start: async () => {
      if (config.cni) await installPlugin(config.cni);
      noteHealth();
      try {
        await local.follow();
        switchKnown.resolve();
        await applyPhysicalNetworks({
          config,
          local,
          run,
          onMoved: (move) => log.info(move, "the host's addresses moved"),
        }).catch((error: unknown) => log.error({ err: error }, 'physical networks not set up: is every NIC there?'));
        await collect((devices) => leftoverPodPorts(local.bridge.ports(), devices));
        bindings = await followBindings(southboundClient, config.nodeName, requested, {
          signal,
          onChassis: () => {
            managementPort?.wake();
            noteHealth();
          },
        });
        await removeFormerChassis(southboundClient, config, {
          signal,
          onOutcome: (chassis, outcome) => log.warn({ chassis, outcome }, 'this node was another chassis before'),
        });
        requested.follow((before, now) => guestServers.put(before, now));
        if (managementPort) requested.onChange(`node/${config.nodeName}`, () => managementPort.wake());
        managementPort?.wake();
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
      noteHealth();
      // After the physical networks: the tunnels' address may have moved to a bridge.
      mtuBytes = await tunnelMtuBytes(run, config.encap).catch(() => undefined);
      const large = tooLarge().map(({ logicalPort, mtuBytes: wanted }) => ({ logicalPort, mtuBytes: wanted }));
      if (large.length > 0) {
        log.warn(
          { tunnelMtuBytes: mtuBytes, ports: large.slice(0, 10), count: large.length },
          "ports have a larger MTU than this node's tunnels carry: is the uplink's MTU the same as on other nodes?",
        );
      }
      // A chassis that is new has its ports requested a moment later: then nothing can be said of taps.
      if (!statusProblem(health())) {
        await collect((devices) => leftoverTaps(local.bridge.ports(), devices, requested.all()));
        await collect(() => leftoverLocalports(local.bridge.ports(), requested.all()));
      }
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      pluginServer.close();
      await Promise.all([app.close(), managementPort?.close(), guestServers.close()]);
      await Promise.all([switchClient.close(), southboundClient.close()]);
    },
  };
}
