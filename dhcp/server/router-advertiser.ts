import type { Segment } from '../guests.ts';
import type { Sender, Transport } from '../transport/transport.ts';
import { encodeRouterAdvertisement } from '../wire/router-advertisement.ts';
import { advertisementOf } from './advertisement.ts';
import { type Advertising, advertised, solicited, startAdvertising } from './advertising.ts';
import type { AdvertisingSettings } from './segment-server.ts';
import type { Counter } from './tally.ts';

/** Time and chance, passed in so that tests own them. `nowMs` is monotonic; `after` returns how to cancel. */
export interface Clock {
  nowMs(): number;
  after(delayMs: number, run: () => void): () => void;
  random(): number;
}

export interface RouterAdvertiser {
  solicited(sender: Sender): void;
  /** Stops without a final RA of lifetime zero: the router lives on, other nodes advertise it too. */
  stop(): void;
}

type Send = NonNullable<Transport['sendAdvertisement']>;

/** One guest gets at most this many advertisements of its own in a second. */
const unicastsPerSecond = 5;

/** Advertises on one segment, periodically and when asked, at the pace of RFC 4861 §6.2. */
export function routerAdvertiser(
  segment: Segment,
  { settings, isRouter }: AdvertisingSettings,
  clock: Clock,
  counter: Counter,
  send: Send,
): RouterAdvertiser {
  const message = encodeRouterAdvertisement(advertisementOf(settings, segment, isRouter));
  const longestMs = (settings.ra?.maxIntervalSeconds ?? 600) * 1000;
  const shortestMs = (settings.ra?.minIntervalSeconds ?? Math.max(3, longestMs / 3000)) * 1000;
  const unicasts = new Map<string, { sinceMs: number; sent: number }>();
  let state: Advertising = startAdvertising(clock.nowMs());
  let cancel = schedule();

  function schedule(): () => void {
    return clock.after(Math.max(0, state.nextAt - clock.nowMs()), () => {
      counter.count('ra.sent.multicast');
      send(message);
      state = advertised(state, clock.nowMs(), clock.random(), { shortestMs, longestMs });
      cancel = schedule();
    });
  }

  return {
    solicited({ mac, address }) {
      const now = clock.nowMs();
      if (mac !== undefined && address !== '::') {
        // Only guests of ours get here, so this holds one entry for each.
        const known = unicasts.get(mac);
        const current = known !== undefined && now - known.sinceMs < 1000 ? known : { sinceMs: now, sent: 0 };
        unicasts.set(mac, current);
        if (current.sent === unicastsPerSecond) {
          counter.count('ra.silent.tooOften');
          return;
        }
        current.sent++;
        counter.count('ra.sent.unicast');
        send(message, { mac, address });
        return;
      }
      state = solicited(state, now, clock.random());
      cancel();
      cancel = schedule();
    },
    stop: () => cancel(),
  };
}
