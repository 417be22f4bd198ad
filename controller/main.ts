import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { connect } from '#ovsdb/client.ts';
import { readConfig } from './config.ts';
import { Controller } from './controller.ts';
import { KubeApi } from './kube/api.ts';
import { loadCredentials } from './kube/credentials.ts';
import { LeaderElection } from './leader-election.ts';

const { values } = parseArgs({ options: { config: { type: 'string' } } });
if (values.config === undefined) {
  console.error('usage: node controller/main.ts --config FILE');
  process.exit(2);
}
const config = readConfig(values.config);
const log = pino({ level: config.logLevel });
const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());

const credentials = loadCredentials(config.kubeconfig === undefined ? {} : { file: config.kubeconfig });
const reportStatus = (database: string) => (status: { readonly kind: string }) =>
  log.debug({ database, ...status }, 'ovsdb');
const [nb, sb] = await Promise.all([
  connect({ remotes: config.northbound, onStatus: reportStatus('OVN_Northbound'), signal: stop.signal }),
  connect({
    remotes: config.southbound,
    leaderOnly: false,
    onStatus: reportStatus('OVN_Southbound'),
    signal: stop.signal,
  }),
]);
await using northbound = nb;
await using southbound = sb;
const api = new KubeApi(credentials);
const pause = (milliseconds: number) => sleep(milliseconds, undefined, { ref: false });
const election =
  config.leaderElection &&
  new LeaderElection({
    api,
    ...config.leaderElection,
    identity: `${hostname()}_${randomUUID()}`,
    sleep: pause,
    signal: stop.signal,
  });
const controller = new Controller({
  api,
  northbound,
  southbound,
  features: {
    networkDefaults: { mtu: config.mtu, segmentAddresses: config.segmentAddresses },
    bindingPlugins: config.bindingPlugins,
  },
  log,
  sleep: pause,
  signal: stop.signal,
  ...(election && { election }),
});
await controller.run();
// Deposed: what this process still has in memory or on its way is nobody's business any more.
if (!stop.signal.aborted) process.exit(1);
