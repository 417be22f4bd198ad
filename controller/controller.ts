import type { Logger } from 'pino';
import type { OvsdbClient } from '#ovsdb/client.ts';
import { ClaimKeeper } from './claims.ts';
import { Core } from './core.ts';
import type { Table } from './engine/table.ts';
import type { FeatureOptions } from './features/index.ts';
import type { KubeApi } from './kube/api.ts';
import { EventRecorder } from './kube/events.ts';
import {
  clusterNetworks,
  ipamClaims,
  type Kind,
  namespaces,
  networkPolicies,
  networks,
  nodes,
  pods,
  virtualMachineInstanceMigrations,
  virtualMachineInstances,
  virtualMachines,
} from './kube/kinds.ts';
import { watchKind } from './kube/watch.ts';
import { Writer } from './kube/writes.ts';
import { formerAddresses } from './northbound/former-addresses.ts';
import { followOvnFacts } from './northbound/ovn-facts.ts';
import { replicateNorthbound } from './northbound/replica.ts';
import { NorthboundWriter } from './northbound/writer.ts';
import { Settling } from './settling.ts';
import { Letterbox } from './status.ts';

export interface ControllerOptions {
  readonly api: KubeApi;
  readonly northbound: OvsdbClient;
  readonly southbound: OvsdbClient;
  readonly features: FeatureOptions;
  readonly log: Logger;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly signal: AbortSignal;
}

/** The core in its shell: watches in, transactions and claims out. */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #core: Core;
  readonly #letterbox: Letterbox;
  readonly #settling: Settling;

  constructor(options: ControllerOptions) {
    const { api, log, signal, sleep } = options;
    this.#options = options;
    const claimWriter = new Writer({ api, signal, perSecond: 200, burst: 1000 });
    const statusWriter = new Writer({ api, signal, perSecond: 20, burst: 50 });
    this.#core = new Core(
      {
        ...options.features,
        onFailure: ({ feature, key, error }) => log.error({ feature, key, err: error }, 'feature failed'),
      },
      (claims) => keeper.ensure(claims),
    );
    this.#settling = new Settling(this.#core, () => this.#report());
    const keeper = new ClaimKeeper({
      tables: this.#core.tables,
      writer: claimWriter,
      sleep,
      onFailure: (claim, error) => log.warn({ claim, err: error }, 'IPAMClaim not written, trying again'),
    });
    this.#letterbox = new Letterbox(new EventRecorder(statusWriter), ({ object, condition, sentence }) =>
      log.warn({ object, condition }, sentence),
    );
  }

  /** Runs until the signal aborts. */
  async run(): Promise<void> {
    const { northbound, southbound, log, signal, sleep } = this.#options;
    const { tables, engine, allocator } = this.#core;
    const started = performance.now();
    const watches = this.#watchAll();
    const [replica] = await Promise.all([
      replicateNorthbound(northbound, signal),
      followOvnFacts(northbound, southbound, (facts) => this.#wakeAfter(() => tables.ovn.put('northd', facts)), signal),
      watches.synced,
    ]);
    // Only now is everything read that says who has which address, and what is missing really is not there.
    allocator.start(await formerAddresses(replica));
    await this.#settling.settled();
    const writer = new NorthboundWriter(engine.board, replica, {
      sleep,
      onEvent: ({ kind, ...event }) => log[kind === 'committed' ? 'debug' : 'warn'](event, `northbound ${kind}`),
    });
    await writer.start();
    await writer.idle();
    log.info({ milliseconds: Math.round(performance.now() - started) }, 'in sync');
    await watches.ended;
    await writer.close();
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
      this.#watch(ipamClaims, tables.claims),
      this.#watch(networkPolicies, tables.networkPolicies),
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
    this.#letterbox.report([...this.#core.engine.board.problems(), ...this.#core.allocator.problems]);
  }

  #wakeAfter(change: () => void): void {
    change();
    this.#settling.wake();
  }
}
