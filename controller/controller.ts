import type { Logger } from 'pino';
import type { OvsdbClient } from '#ovsdb/client.ts';
import { ClaimKeeper } from './claims.ts';
import { Core } from './core.ts';
import { DepartedNodes } from './departed-nodes.ts';
import type { Failure } from './engine/engine.ts';
import type { Table } from './engine/table.ts';
import type { FeatureOptions } from './features/index.ts';
import type { KubeApi } from './kube/api.ts';
import { EventRecorder } from './kube/events.ts';
import {
  clusterNetworks,
  ipamClaims,
  type Kind,
  namespaces,
  networkAttachmentDefinitions,
  networkPolicies,
  networks,
  nodes,
  pods,
  virtualMachineInstanceMigrations,
  virtualMachineInstances,
  virtualMachineNetworks,
  virtualMachines,
} from './kube/kinds.ts';
import { listNow } from './kube/list-now.ts';
import { watchKind } from './kube/watch.ts';
import { Writer } from './kube/writes.ts';
import type { LeaderElection } from './leader-election.ts';
import { NetworkStatusKeeper } from './network-status.ts';
import { formerAddresses } from './northbound/former-addresses.ts';
import { LeaderFence } from './northbound/leader-fence.ts';
import { followOvnFacts } from './northbound/ovn-facts.ts';
import { replicateNorthbound } from './northbound/replica.ts';
import { NorthboundWriter } from './northbound/writer.ts';
import { Settling } from './settling.ts';
import { Letterbox } from './status.ts';
import { VmNetworkStatusKeeper } from './vm-network-status.ts';

export interface ControllerOptions {
  readonly api: KubeApi;
  readonly northbound: OvsdbClient;
  readonly southbound: OvsdbClient;
  readonly features: FeatureOptions;
  readonly log: Logger;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly signal: AbortSignal;
  /** Absent: there is never another controller. */
  readonly election?: LeaderElection;
}

/** How often problems and a network's counts are looked at for what is to be told. */
const statusMilliseconds = 2000;
const firstRetryMilliseconds = 1000;
const lastRetryMilliseconds = 60_000;

/** The core in its shell: watches in, transactions and claims out. */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #core: Core;
  readonly #letterbox: Letterbox;
  readonly #settling: Settling;
  readonly #networkStatus: NetworkStatusKeeper;
  readonly #vmStatus: VmNetworkStatusKeeper;
  readonly #claims: ClaimKeeper;
  readonly #departedNodes: DepartedNodes;
  #leads = false;

  constructor(options: ControllerOptions) {
    const { api, log, signal, sleep, election, southbound } = options;
    this.#options = options;
    const leaderOnly = { api, signal, mayWrite: () => election?.isLeading ?? true };
    const claimWriter = new Writer({ ...leaderOnly, perSecond: 200, burst: 1000 });
    const statusWriter = new Writer({ ...leaderOnly, perSecond: 20, burst: 50 });
    this.#core = new Core(
      {
        ...options.features,
        onFailure: (failure) => this.#featureFailed(failure),
      },
      (claims) => this.#claims.ensure(claims),
    );
    this.#settling = new Settling(this.#core, { onSettled: () => this.#report() });
    this.#claims = new ClaimKeeper({
      tables: this.#core.tables,
      writer: claimWriter,
      sleep,
      isWanted: (claim) => this.#core.allocator.isWanted(claim),
      onAbandoned: (claim) => this.#wakeAfter(() => this.#core.allocator.abandon(claim)),
      onFailure: (claim, error) => log.warn({ claim, err: error }, 'IPAMClaim not written, trying again'),
    });
    this.#departedNodes = new DepartedNodes({
      tables: this.#core.tables,
      southbound,
      sleep,
      mayWrite: leaderOnly.mayWrite,
      onOutcome: (node, outcome) => {
        if (outcome === 'removed') log.info({ node }, 'the chassis of a deleted node is removed');
        else log.warn({ node, err: outcome.failed }, 'the chassis of a deleted node is not removed, trying again');
      },
    });
    this.#networkStatus = new NetworkStatusKeeper(this.#core, statusWriter);
    const { problems } = this.#core.engine.board;
    this.#vmStatus = new VmNetworkStatusKeeper(this.#core.tables, problems, statusWriter);
    this.#letterbox = new Letterbox({
      events: new EventRecorder(statusWriter),
      onProblem: ({ object, condition, sentence }) => log.warn({ object, condition }, sentence),
    });
    problems.listeners.add(this.#letterbox);
  }

  /** Runs until the signal aborts, or another controller leads: then it must not go on in this process. */
  async run(): Promise<void> {
    const { northbound, southbound, log, signal, sleep, election } = this.#options;
    const { tables, engine, allocator } = this.#core;
    const started = performance.now();
    const watches = this.#watchAll();
    const [replica] = await Promise.all([
      replicateNorthbound(northbound, signal),
      followOvnFacts(northbound, southbound, (facts) => this.#wakeAfter(() => tables.ovn.put('northd', facts)), signal),
      watches.synced,
    ]);
    // A standby is in sync already when its turn comes.
    const term = await election?.elected();
    if (election !== undefined && term === undefined) return;
    const lost = election?.lost();
    const { promise: deposed, resolve: depose } = Promise.withResolvers<void>();
    const ended = Promise.race([watches.ended, deposed, ...(lost === undefined ? [] : [lost])]);
    const outrank = async (number: number) => election?.outrank(number);
    const fence = term && new LeaderFence({ client: northbound, term, outrank });
    if (fence !== undefined) {
      // From here on nobody else writes: what the former leader wrote last is in the replica, and in the claims as they are now.
      const isOurs = await Promise.race([ended, this.#inAnyWeather(() => fence.raise())]);
      if (isOurs !== 'raised') return;
      await Promise.race([ended, this.#inAnyWeather(() => this.#readClaims())]);
    }
    // Only now is everything read that says who has which address, and what is missing really is not there.
    const former = await formerAddresses(replica);
    allocator.start(former);
    this.#departedNodes.start(former.keys());
    await this.#settling.settled();
    // Not before: of lists that come one after another it follows now and then that a claim is nobody's any more.
    this.#claims.start();
    const writer = new NorthboundWriter(engine.board, replica, {
      sleep,
      untilSettled: () => this.#settling.untilSettled(),
      ...(fence && { fence }),
      onEvent: ({ kind, ...event }) => {
        log[kind === 'committed' ? 'debug' : 'warn'](event, `northbound ${kind}`);
        if (kind === 'deposed') depose();
      },
    });
    this.#leads = true;
    await Promise.race([ended, writer.start().then(() => writer.idle())]);
    log.info({ milliseconds: Math.round(performance.now() - started) }, 'in sync');
    void this.#tellStatus();
    await ended;
    this.#leads = false;
    await writer.close();
  }

  /** A standby's watch may be behind what the former leader wrote last. */
  async #readClaims(): Promise<void> {
    const { api, signal } = this.#options;
    for await (const claim of listNow(api, ipamClaims, signal)) {
      this.#wakeAfter(() => this.#core.tables.claims.put(`${claim.namespace}/${claim.name}`, claim));
    }
  }

  /** The weather is waited out; undefined when the signal aborts first. */
  async #inAnyWeather<T>(work: () => Promise<T>): Promise<T | undefined> {
    const { log, signal, sleep } = this.#options;
    while (!signal.aborted) {
      try {
        return await work();
      } catch (error) {
        log.warn({ err: error }, 'not leading yet, trying again');
        await sleep(firstRetryMilliseconds);
      }
    }
    return undefined;
  }

  #watchAll(): { readonly synced: Promise<unknown>; readonly ended: Promise<unknown> } {
    const { tables } = this.#core;
    const watches = [
      this.#watch(nodes, tables.nodes),
      this.#watch(namespaces, tables.namespaces),
      this.#watch(pods, tables.pods),
      this.#watch(virtualMachines, tables.vms),
      this.#watch(virtualMachineInstances, tables.vmis),
      this.#watch(virtualMachineInstanceMigrations, tables.vmims),
      this.#watch(clusterNetworks, tables.clusterNetworks),
      this.#watch(networks, tables.networks),
      this.#watch(networkAttachmentDefinitions, tables.attachmentDefinitions),
      this.#watch(ipamClaims, tables.claims),
      this.#watch(networkPolicies, tables.networkPolicies),
      this.#watch(virtualMachineNetworks, tables.vmNetworks),
    ];
    return {
      synced: Promise.all(watches.map(({ synced }) => synced)),
      ended: Promise.all(watches.map(({ ended }) => ended)),
    };
  }

  #watch<T, Index extends string>(
    kind: Kind<T>,
    table: Table<T, Index>,
  ): { readonly synced: Promise<void>; readonly ended: Promise<void> } {
    const { api, log, signal } = this.#options;
    const { promise: synced, resolve } = Promise.withResolvers<void>();
    const ended = watchKind(
      kind,
      {
        put: (key, object) => this.#wakeAfter(() => table.put(key, object)),
        remove: (key) => this.#wakeAfter(() => table.remove(key)),
        synced: resolve,
      },
      {
        api,
        signal,
        onNotice: (notice) =>
          log[notice.type === 'failed' || notice.type === 'malformed' ? 'warn' : 'debug'](
            { resource: kind.resource, ...notice },
            'watch',
          ),
      },
    );
    return { synced, ended };
  }

  #report(): void {
    this.#letterbox.report(this.#leads);
  }

  async #tellStatus(): Promise<void> {
    while (this.#leads && !this.#options.signal.aborted) {
      this.#report();
      this.#networkStatus.report();
      this.#vmStatus.report();
      await this.#options.sleep(statusMilliseconds);
    }
  }

  #featureFailed({ feature, key, error, attempts }: Failure): void {
    this.#options.log.error({ feature, key, err: error }, 'feature failed');
    const delay = Math.min(firstRetryMilliseconds * 2 ** (attempts - 1), lastRetryMilliseconds);
    void this.#options.sleep(delay).then(() => this.#wakeAfter(() => this.#core.engine.retry(feature, key)));
  }

  #wakeAfter(change: () => void): void {
    change();
    this.#settling.wake();
  }
}
