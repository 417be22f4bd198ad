import { z } from 'zod';
import { CommandFailed, type Run } from './commands.ts';
import { podHostDevice, podHostMac } from './device-names.ts';
import type { IntegrationBridge } from './integration-bridge.ts';
import type { PortRequest } from './port-request.ts';
import { management } from './ports/management.ts';
import { deleteDevice, makeVethPair, type PlumbingOptions, type VethPair } from './ports/veth-pair.ts';
import type { RequestedPorts } from './requested-ports.ts';

export interface ManagementPortOptions {
  /** `node/<node name>`. */
  readonly logicalPort: string;
  /** The device that the node's kernel gets. */
  readonly device: string;
  readonly requested: RequestedPorts;
  readonly bridge: IntegrationBridge;
  readonly plumbing: Omit<PlumbingOptions, 'signal'>;
  /** Whether `requested` is all there is, so that a port it does not have is not wanted any more. */
  readonly isInSync: () => boolean;
  /** Told when something was done, or what stands in the way; tried again by itself. */
  readonly onOutcome: (outcome: 'made' | 'adopted' | 'removed' | { readonly failed: unknown }) => void;
}

/**
 * The node's own port on the pod network, by which kubelet reaches every pod and pods reach their node: a veth pair with both ends on
 * the node, as the row of `node/<node name>` wants it. Level-triggered: `wake` says that something may have changed, and what is
 * already right is not touched, so that an agent's restart interrupts nobody.
 */
export class ManagementPort {
  readonly #options: ManagementPortOptions;
  readonly #pair: VethPair;
  #isMade = false;
  #isAwake = false;
  #running: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #attempts = 0;
  #isClosed = false;

  constructor(options: ManagementPortOptions) {
    this.#options = options;
    this.#pair = {
      hostDevice: podHostDevice('management', options.device),
      hostMac: podHostMac('management', options.device),
      netns: ownNamespace,
      interfaceName: options.device,
    };
  }

  /** Whether the node is on the pod network as its row wants it. */
  get isMade(): boolean {
    return this.#isMade;
  }

  /** The end that is on the bridge. */
  get hostDevice(): string {
    return this.#pair.hostDevice;
  }

  wake(): void {
    if (this.#isClosed) return;
    this.#isAwake = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      if (this.#isAwake) this.wake();
    });
  }

  /** Ends what is under way; the port stays. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    await this.#running;
  }

  async #run(): Promise<void> {
    this.#isAwake = false;
    clearTimeout(this.#retry);
    try {
      await this.#apply();
      this.#attempts = 0;
    } catch (failed) {
      this.#isMade = false;
      this.#attempts += 1;
      this.#options.onOutcome({ failed });
      if (!this.#isClosed) this.#retry = setTimeout(() => this.wake(), retryMs(this.#attempts)).unref();
    }
  }

  async #apply(): Promise<void> {
    const { logicalPort, requested, isInSync } = this.#options;
    const request = requested.get(logicalPort);
    if (request?.attach === 'management') await this.#make(request);
    else if (!request && isInSync()) await this.#remove();
  }

  async #make(request: PortRequest): Promise<void> {
    const { bridge, plumbing, onOutcome } = this.#options;
    const { hostDevice } = this.#pair;
    const nic = management(request, this.#pair.interfaceName);
    const present = await showNic(plumbing.run, this.#pair.interfaceName);
    const isOurs = present?.mac === request.mac && present.mtuBytes === request.mtuBytes && present.peer === hostDevice;
    if (isOurs) {
      const wanted = new Set(request.addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`));
      const stale = present.addresses.filter((address) => !wanted.has(address));
      const lines = [...stale.map((address) => `address del ${address} dev ${this.#pair.interfaceName}`), ...nic.ip];
      await plumbing.run('ip', ['-batch', '-'], { stdin: `${lines.join('\n')}\n` });
    } else {
      await bridge.withdraw(hostDevice);
      await deleteDevice(plumbing.run, hostDevice);
      await makeVethPair(this.#pair, request, nic, plumbing);
    }
    const isPlugged = [...bridge.ports()].some(
      (port) =>
        port.device === hostDevice && port.logicalPort === request.logicalPort && port.mac === request.mac && isOurs,
    );
    if (!isPlugged) {
      const { logicalPort, mac, attach } = request;
      await bridge.plug({ device: hostDevice, logicalPort, mac, attach });
    }
    if (!this.#isMade || !isPlugged) onOutcome(isPlugged ? 'adopted' : 'made');
    this.#isMade = true;
  }

  async #remove(): Promise<void> {
    const { bridge, plumbing, onOutcome } = this.#options;
    this.#isMade = false;
    await bridge.unplug(({ attach }) => attach === 'management');
    if (await deleteDevice(plumbing.run, this.#pair.hostDevice)) onOutcome('removed');
  }
}

/** A NIC as `ip -json -details address show` says. */
interface Nic {
  readonly mac: string;
  readonly mtuBytes: number;
  /** The other end of a veth pair in the same namespace. */
  readonly peer: string | undefined;
  /** In CIDR notation, without link-local ones. */
  readonly addresses: readonly string[];
}

/** @returns undefined when there is no such device. */
async function showNic(run: Run, device: string): Promise<Nic | undefined> {
  let text: string;
  try {
    text = await run('ip', ['-json', '-details', 'address', 'show', 'dev', device]);
  } catch (error) {
    if (error instanceof CommandFailed && error.stderr.includes('does not exist')) return undefined;
    throw error;
  }
  const [nic] = addressList.parse(JSON.parse(text));
  if (!nic) return undefined;
  const addresses = nic.addr_info
    .filter(({ scope }) => scope !== 'link')
    .map((info) => `${info.local}/${info.prefixlen}`);
  return { mac: nic.address, mtuBytes: nic.mtu, peer: nic.link, addresses };
}

const addressList = z.array(
  z.object({
    address: z.string(),
    mtu: z.number(),
    link: z.string().optional(),
    addr_info: z.array(z.object({ local: z.string(), prefixlen: z.number(), scope: z.string() })).default([]),
  }),
);

/** The network namespace of whoever opens it: the agent runs in the node's. */
const ownNamespace = '/proc/self/ns/net';

function retryMs(attempts: number): number {
  return Math.min(30_000, 250 * 2 ** attempts);
}
