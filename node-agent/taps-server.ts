import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { callerGone } from './caller-gone.ts';
import type { Run } from './commands.ts';
import { tapDevice } from './device-names.ts';
import type { IntegrationBridge } from './integration-bridge.ts';
import { Busy, CalledOff, OneAtATime } from './one-at-a-time.ts';
import type { PortRequest } from './port-request.ts';
import { ensureTap, TapBusy } from './ports/tap.ts';
import { deleteDevice } from './ports/veth-pair.ts';
import type { RequestedPorts } from './requested-ports.ts';

export interface TapsContext {
  readonly requested: RequestedPorts;
  readonly bridge: IntegrationBridge;
  readonly run: Run;
  readonly tapOwner: number;
  /** Resolves when the bridge's ports are known for the first time: what is plugged cannot be told before. */
  readonly switchKnown: Promise<void>;
  /** See `PlumbingOptions`. */
  readonly checksumOffload: boolean;
  readonly portTimeoutSeconds: number;
  readonly installTimeoutSeconds: number;
}

/** The answer to `PUT /ports/<logical port>`: what QEMU needs to know. */
export interface TapAnswer {
  /** Name of the tap: equal on every node. */
  readonly tap: string;
  readonly mac: string;
  readonly mtuBytes: number;
  readonly multiQueue: boolean;
  /** The tap carries virtio headers: QEMU's `vnet_hdr=on`. */
  readonly vnetHdr: true;
  /**
   * False: the datapath does not complete checksums, so the guest must: virtio-net with `csum=off,guest_csum=off,gso=off` and
   * `host_*`, `guest_*` segmentation off.
   */
  readonly checksumOffload: boolean;
  /** In CIDR notation. */
  readonly addresses: readonly string[];
}

/**
 * `PUT /ports/<logical port>` makes the direct tap of a VM NIC on this node and answers when the switch forwards for it; repeating
 * it is harmless. `DELETE` takes it away, on this node only. The name may be given with its slashes or percent-encoded. A refusal
 * is `{error: <sentence>}`.
 */
export function serveTaps(app: FastifyInstance, context: TapsContext): void {
  const taps = new OneAtATime();

  app.put<{ Params: { '*': string } }>('/ports/*', async (request, reply) => {
    const logicalPort = request.params['*'];
    const options = tapOptions.safeParse(request.body ?? {});
    if (!options.success) return await reply.code(400).send({ error: z.prettifyError(options.error) });
    try {
      return await taps.make(logicalPort, callerGone(reply.raw), (signal) =>
        putTap(logicalPort, options.data, context, signal),
      );
    } catch (error) {
      request.log.warn({ err: error, logicalPort }, 'tap not made');
      return await reply.code(statusOf(error)).send({ error: error instanceof Error ? error.message : String(error) });
    }
  });

  app.delete<{ Params: { '*': string } }>('/ports/*', async (request, reply) => {
    const logicalPort = request.params['*'];
    try {
      await withinSeconds(
        context.installTimeoutSeconds,
        callerGone(reply.raw),
        "this node's Open vSwitch database does not answer: is ovsdb-server running?",
        (inTime) => unlessAborted(context.switchKnown, inTime),
      );
      await taps.takeAway(logicalPort, () => deleteTap(logicalPort, context));
      return await reply.code(204).send();
    } catch (error) {
      request.log.warn({ err: error, logicalPort }, 'tap not deleted');
      return await reply.code(statusOf(error)).send({ error: error instanceof Error ? error.message : String(error) });
    }
  });
}

const tapOptions = z.strictObject({
  /** For a VM with more than one queue per NIC. */
  multiQueue: z.boolean().default(false),
});

/** The port cannot be had as asked; the status says whose turn it is. */
class TapRefused extends Error {
  override readonly name = 'TapRefused';
  readonly status: number;

  constructor(status: number, sentence: string, options?: ErrorOptions) {
    super(sentence, options);
    this.status = status;
  }
}

async function putTap(
  logicalPort: string,
  { multiQueue }: z.infer<typeof tapOptions>,
  context: TapsContext,
  signal: AbortSignal,
): Promise<TapAnswer> {
  const { requested, bridge, run, checksumOffload } = context;
  const port = await withinSeconds(
    context.portTimeoutSeconds,
    signal,
    `port ${logicalPort} not yet requested for this node: is its VM to run here, and is the controller running?`,
    (inTime) => requested.wait(logicalPort, inTime),
  );
  if (port.attach !== 'tap') {
    throw new TapRefused(
      409,
      `port ${logicalPort} is attached as "${port.attach}", which is made by CNI ADD of its pod`,
    );
  }
  const device = tapDevice(port.ownerUid, logicalPort);
  await unlessAborted(context.switchKnown, signal);
  const wasPlugged = [...bridge.ports()].some((plugged) => plugged.device === device && plugged.mac === port.mac);
  try {
    const tap = await ensureTap(run, { device, mtuBytes: port.mtuBytes, multiQueue, owner: context.tapOwner });
    // A port whose device was lost, as in a reboot, still says that it is installed: a new row starts from nothing.
    if (tap === 'made' || !wasPlugged) await bridge.plug({ device, logicalPort, mac: port.mac, attach: 'tap' });
    await withinSeconds(
      context.installTimeoutSeconds,
      signal,
      `port ${logicalPort} is plugged but not yet bound by ovn-controller: is ovn-controller running on this node and connected?`,
      (inTime) => bridge.installed(device, inTime),
    );
  } catch (error) {
    if (!wasPlugged) await deleteTap(logicalPort, context, device);
    throw error;
  }
  return answer(port, device, multiQueue, checksumOffload);
}

/** What is not plugged any more is not looked for: the node's own database says which tap the port has here. */
async function deleteTap(logicalPort: string, { bridge, run }: TapsContext, halfMade?: string): Promise<void> {
  const devices = [...bridge.ports()]
    .filter((port) => port.attach === 'tap' && port.logicalPort === logicalPort)
    .map(({ device }) => device);
  await bridge.unplug((port) => devices.includes(port.device));
  for (const device of new Set(halfMade ? [...devices, halfMade] : devices)) await deleteDevice(run, device);
}

function answer(port: PortRequest, tap: string, multiQueue: boolean, checksumOffload: boolean): TapAnswer {
  return {
    tap,
    mac: port.mac,
    mtuBytes: port.mtuBytes,
    multiQueue,
    vnetHdr: true,
    checksumOffload,
    addresses: port.addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`),
  };
}

async function withinSeconds<T>(
  seconds: number,
  signal: AbortSignal,
  sentence: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeout = AbortSignal.timeout(seconds * 1000);
  try {
    return await work(AbortSignal.any([signal, timeout]));
  } catch (cause) {
    throw timeout.aborted ? new TapRefused(503, sentence, { cause }) : cause;
  }
}

function unlessAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  return Promise.race([promise, aborted]);
}

function statusOf(error: unknown): number {
  if (error instanceof TapRefused) return error.status;
  return error instanceof Busy || error instanceof CalledOff || error instanceof TapBusy ? 409 : 500;
}
