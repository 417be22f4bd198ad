import { GuestBook } from '#dhcp/guests.ts';
import { offered } from '#dhcp/probe/offered.ts';
import type { AdvertisingSettings } from '#dhcp/server/segment-server.ts';
import type { Tally } from '#dhcp/server/tally.ts';
import { type Service, serveSegment } from '#dhcp/service.ts';
import { systemClock } from '#dhcp/system-clock.ts';
import type { OpenTransport } from '#dhcp/transport/transport.ts';
import type { PortRequest } from '../port-request.ts';
import { bindingOf, type ServedSegment, segmentOf } from './segments.ts';

/** How this node is on segments. */
export interface SegmentWays {
  /** Opens the way to a segment, whatever it takes on this node. */
  open(segment: ServedSegment, guests: GuestBook): OpenTransport;
  /** The last guest of a segment has gone from this node; resolves when what `open` made has gone too. */
  release(segment: ServedSegment): Promise<void>;
}

export interface GuestServersOptions extends SegmentWays {
  readonly onTrouble: (segment: string, error: Error, retryMs: number) => void;
}

/**
 * This node's servers: one for each segment that has guests here which OVN does not answer. They follow the requested ports, so
 * each node answers its own guests, and in a migration both nodes say the same.
 */
export class GuestServers {
  readonly #options: GuestServersOptions;
  readonly #served = new Map<string, Served>();
  /** Ends of servers, so that a segment that comes back begins after its own end. */
  readonly #ending = new Map<string, Promise<void>>();

  constructor(options: GuestServersOptions) {
    this.#options = options;
  }

  /** A port is requested as `after` now, or not at all any more. */
  put(before: PortRequest | undefined, after: PortRequest | undefined): void {
    const left = before?.guest?.segment;
    if (left !== undefined && left !== after?.guest?.segment) this.#leave(left, before?.logicalPort ?? '');
    if (after?.guest === undefined) return;
    const told = segmentOf(after, after.guest);
    const key = JSON.stringify(told);
    let served = this.#served.get(told.segment.name);
    if (served !== undefined && served.key !== key) served = this.#restart(served, told, key);
    served ??= this.#start(told, key, new GuestBook(), new Map());
    const known = served.macs.get(after.logicalPort);
    const binding = bindingOf(after, after.guest);
    if (known !== undefined && known !== binding.mac) served.book.delete(known);
    served.macs.set(after.logicalPort, binding.mac);
    served.book.set(binding);
  }

  /** What the guest behind a logical port would be offered on this node, in lines for a person; undefined when OVN answers it. */
  offered({ guest, mac }: PortRequest): readonly string[] | undefined {
    const served = guest && this.#served.get(guest.segment);
    if (served === undefined) return undefined;
    const { told, book } = served;
    const advertising = advertisingOf(told);
    const from = told.router?.linkLocal ?? 'this node';
    return offered(told.segment, book, mac, advertising && { ...advertising, from });
  }

  /** Everything counted so far, by segment. */
  tallies(): ReadonlyMap<string, Tally> {
    return new Map([...this.#served].map(([name, { service }]) => [name, service.tally]));
  }

  /** The ports stay: an agent that is upgraded goes on where this one ended. */
  async close(): Promise<void> {
    await Promise.all([...this.#served.values()].map(({ service }) => service.close()));
    await Promise.all(this.#ending.values());
    this.#served.clear();
  }

  #start(told: ServedSegment, key: string, book: GuestBook, macs: Map<string, string>): Served {
    const { name } = told.segment;
    const open = this.#options.open(told, book);
    const advertising = advertisingOf(told);
    const service = serveSegment({
      segment: told.segment,
      guests: book,
      open: async (events) => {
        await this.#ending.get(name);
        return await open(events);
      },
      ...(advertising && { advertising }),
      clock: systemClock,
      onTrouble: (error, retryMs) => this.#options.onTrouble(name, error, retryMs),
    });
    const served: Served = { told, key, book, macs, service };
    this.#served.set(name, served);
    return served;
  }

  /** The network's settings are others now; its guests are the same. */
  #restart({ service, book, macs }: Served, told: ServedSegment, key: string): Served {
    this.#end(told.segment.name, service.close());
    return this.#start(told, key, book, macs);
  }

  #leave(name: string, logicalPort: string): void {
    const served = this.#served.get(name);
    const mac = served?.macs.get(logicalPort);
    if (served === undefined || mac === undefined) return;
    served.macs.delete(logicalPort);
    served.book.delete(mac);
    if (served.macs.size > 0) return;
    this.#served.delete(name);
    this.#end(
      name,
      served.service.close().then(() => this.#options.release(served.told)),
    );
  }

  #end(name: string, ended: Promise<void>): void {
    const all = Promise.all([this.#ending.get(name), ended])
      .then(() => {})
      .catch((error: Error) => this.#options.onTrouble(name, error, 0))
      .finally(() => {
        if (this.#ending.get(name) === all) this.#ending.delete(name);
      });
    this.#ending.set(name, all);
  }
}

/** Routers are advertised where there is IPv6. */
function advertisingOf({ segment, settings, router }: ServedSegment): AdvertisingSettings | undefined {
  if (!segment.subnets.some((subnet) => subnet.includes(':'))) return undefined;
  return { settings, isRouter: router !== undefined };
}

interface Served {
  readonly told: ServedSegment;
  readonly key: string;
  readonly book: GuestBook;
  /** Logical port → MAC in `book`. */
  readonly macs: Map<string, string>;
  readonly service: Service;
}
