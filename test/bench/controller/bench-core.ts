import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Core } from '#controller/core.ts';
import { formerAddresses } from '#controller/northbound/former-addresses.ts';
import { replicateNorthbound } from '#controller/northbound/replica.ts';
import { type Northbound, NorthboundWriter } from '#controller/northbound/writer.ts';
import { Settling } from '#controller/settling.ts';
import { connect } from '#ovsdb/client.ts';
import type { Operation } from '#ovsdb/transaction/operation.ts';
import { type Cluster, load } from './objects.ts';

/** Everything of the controller but the Kubernetes API, which gives its objects at once. */
export async function benchCore(remote: string) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
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
    delay,
    onSent(listener: (operations: readonly Operation[]) => void) {
      onSent = listener;
    },
    get operations() {
      return operations;
    },
    get problems() {
      return problems;
    },
    /** From objects in memory to a database that is as they want it; how long it took, in milliseconds. */
    async start(objects: Cluster): Promise<number> {
      const started = performance.now();
      const replica = await replicateNorthbound(client, AbortSignal.timeout(120_000));
      const northbound: Northbound = {
        ...replica,
        transact: (sent) => {
          operations += sent.length;
          const outcome = replica.transact(sent);
          onSent(sent);
          return outcome;
        },
      };
      let loaded = 0;
      for (const _ of load(core, objects)) {
        loaded += 1;
        // A watch delivers in pages.
        if (loaded % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      core.allocator.start(await formerAddresses(northbound));
      await settling.settled();
      writer = new NorthboundWriter(core.engine.board, northbound, {
        sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
        untilSettled: () => settling.untilSettled(),
        onEvent: (event) => {
          if (event.kind !== 'committed') throw new Error(`northbound ${event.kind}: ${JSON.stringify(event)}`);
        },
      });
      await writer.start();
      await writer.idle();
      problems = [...core.engine.board.problems(), ...core.allocator.problems].length;
      return performance.now() - started;
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
