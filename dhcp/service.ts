import type { Guests, Segment } from './guests.ts';
import { type Clock, type RouterAdvertiser, routerAdvertiser } from './server/router-advertiser.ts';
import { type AdvertisingSettings, segmentServer } from './server/segment-server.ts';
import { Counter, type Tally } from './server/tally.ts';
import type { OpenTransport, Transport } from './transport/transport.ts';

export interface ServiceOptions {
  readonly segment: Segment;
  /** The guests answered for. Read at each request, so a change holds from the next one on. */
  readonly guests: Guests;
  readonly open: OpenTransport;
  /** Router advertisements; none when absent, or when the transport cannot send them. */
  readonly advertising?: AdvertisingSettings;
  readonly clock: Clock;
  /** Told when the transport died or would not open, and that it is tried again after `retryMs`. */
  readonly onTrouble?: (error: Error, retryMs: number) => void;
}

export interface Service {
  /** Everything counted so far; `transport.failed` and `transport.opened` are the watchdog's. */
  readonly tally: Tally;
  /** Resolves when the transport is open for the first time. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

const firstRetryMs = 100;
const longestRetryMs = 10_000;

/** Serves one segment until closed. What dies is opened again, later and later: 0.1 s, 0.2 s … 10 s. */
export function serveSegment(options: ServiceOptions): Service {
  const { segment, guests, clock, advertising } = options;
  const counter = new Counter();
  const server = segmentServer(segment, guests, counter);
  const ready = Promise.withResolvers<void>();
  let isClosed = false;
  let retryMs = firstRetryMs;
  let transport: Transport | undefined;
  let advertiser: RouterAdvertiser | undefined;
  let cancelRetry = () => {};
  let opening: Promise<void> = open();

  async function open(): Promise<void> {
    try {
      const opened = await options.open({
        dhcpv4: (bytes, sender) => transport && server.dhcpv4(bytes, sender, transport),
        dhcpv6: (bytes, sender) => transport && server.dhcpv6(bytes, sender, transport),
        solicitation: (bytes, sender) => {
          if (advertiser !== undefined && server.solicitation(bytes, sender)) advertiser.solicited(sender);
        },
        failed: (error) => retry(error),
      });
      if (isClosed) return await opened.close();
      transport = opened;
      retryMs = firstRetryMs;
      counter.count('transport.opened');
      if (advertising !== undefined && opened.sendAdvertisement !== undefined) {
        advertiser = routerAdvertiser(segment, advertising, clock, counter, opened.sendAdvertisement);
      }
      ready.resolve();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      retry(error);
    }
  }

  function retry(error: Error): void {
    if (isClosed) return;
    counter.count('transport.failed');
    options.onTrouble?.(error, retryMs);
    const dead = transport;
    transport = undefined;
    advertiser?.stop();
    advertiser = undefined;
    const delayMs = retryMs;
    retryMs = Math.min(longestRetryMs, retryMs * 2);
    cancelRetry();
    cancelRetry = clock.after(delayMs, () => {
      opening = Promise.resolve(dead?.close()).then(open);
    });
  }

  return {
    tally: counter.tally,
    ready: ready.promise,
    async close() {
      isClosed = true;
      cancelRetry();
      advertiser?.stop();
      await opening;
      await transport?.close();
    },
  };
}
