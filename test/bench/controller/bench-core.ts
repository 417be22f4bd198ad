import { Core } from '#controller/core.ts';
import { formerAddresses } from '#controller/northbound/former-addresses.ts';
import { replicateNorthbound } from '#controller/northbound/replica.ts';
import { type Northbound, NorthboundWriter } from '#controller/northbound/writer.ts';
import { Settling } from '#controller/settling.ts';
import { connect } from '#ovsdb/client.ts';
import type { Operation } from '#ovsdb/transaction/operation.ts';
import { type Cluster, load } from './objects.ts';
import { StallWatch } from './stall-watch.ts';

/** Milliseconds. */
export interface StartTimes {
  readonly startMs: number;
  /** What it was spent on, one after another; then what goes on beside it. */
  readonly parts: Readonly<Record<string, number>>;
}

/** Everything of the controller but the Kubernetes API, which gives its objects at once. */
export async function benchCore(remote: string) {
  const stalls = new StallWatch();
  const client = await connect({ remotes: [remote] });
  const core = new Core({
    networkDefaults: { mtu: 1400 },
    bindingPlugins: { hawser: 'managedTap' },
    onFailure: ({ error }) => {
      throw error;
    },
  });
  const settling = new Settling(core);
  const option = (name: string, code: number, type: string) => ({ name, code, type });
  core.tables.ovn.put('northd', {
    version: { year: 23, month: 3 },
    dhcpv4: [
      option('lease_time', 51, 'uint32'),
      option('router', 3, 'ipv4'),
      option('server_id', 54, 'ipv4'),
      option('mtu', 26, 'uint16'),
      option('hostname', 12, 'str'),
      option('broadcast_address', 28, 'ipv4'),
      option('T1', 58, 'uint32'),
      option('T2', 59, 'uint32'),
    ],
    dhcpv6: [option('server_id', 2, 'mac')],
  });
  let operations = 0;
  let problems = 0;
  let onSent: (operations: readonly Operation[]) => void = () => {};
  let writer: NorthboundWriter | undefined;
  return {
    core,
    stalls,
    onSent(listener: (operations: readonly Operation[]) => void) {
      onSent = listener;
    },
    get operations() {
      return operations;
    },
    get problems() {
      return problems;
    },
    /** From objects in memory to a database that is as they want it. */
    async start(objects: Cluster): Promise<StartTimes> {
      const started = performance.now();
      let waitedMs = 0;
      // As in the controller: objects come, and features run, while the replica does.
      const replicating = replicateNorthbound(client, AbortSignal.timeout(120_000));
      let loaded = 0;
      for (const _ of load(core, objects)) {
        loaded += 1;
        // A watch delivers in pages.
        if (loaded % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      const filled = performance.now();
      settling.wake();
      const replica = await replicating;
      const replicated = performance.now();
      const northbound: Northbound = {
        ...replica,
        transact: (sent) => {
          operations += sent.length;
          const outcome = replica.transact(sent);
          onSent(sent);
          const at = performance.now();
          const ended = () => {
            waitedMs += performance.now() - at;
          };
          void outcome.then(ended, ended);
          return outcome;
        },
      };
      core.allocator.start(await formerAddresses(northbound));
      await settling.settled();
      const settled = performance.now();
      writer = new NorthboundWriter(core.engine.board, northbound, {
        sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
        untilSettled: () => settling.untilSettled(),
        onEvent: (event) => {
          if (event.kind !== 'committed') throw new Error(`northbound ${event.kind}: ${JSON.stringify(event)}`);
        },
      });
      await writer.start();
      const compared = performance.now();
      await writer.idle();
      const ended = performance.now();
      problems = core.engine.board.problems.size;
      // To count all facts takes long, and nobody else asks for that.
      stalls.pause();
      const featuresMs = core.engine.statistics().reduce((sum, { milliseconds }) => sum + milliseconds, 0);
      stalls.resume();
      return {
        startMs: ended - started,
        parts: {
          'objects to tables': filled - started,
          'features while the replica comes': replicated - filled,
          'addresses, and the rest of the features': settled - replicated,
          'comparing with the database': compared - settled,
          'planning and writing': ended - compared,
          'in all: features': featuresMs,
          'in all: a transaction in flight': waitedMs,
        },
      };
    },
    /** A change as a watch would make it. */
    change(put: () => void): void {
      put();
      settling.wake();
    },
    async settled(): Promise<void> {
      await settling.settled();
      await new Promise((resolve) => setImmediate(resolve));
      await writer?.idle();
    },
    close: () => client.close(),
  };
}
