import type { Run } from '../commands.ts';
import type { Config } from '../config.ts';
import type { IntegrationBridge } from '../integration-bridge.ts';
import type { SegmentWays } from './guest-servers.ts';
import { link } from './links.ts';
import { localport } from './localport.ts';
import type { SegmentPlace } from './served-guest.ts';

/** How a node is on the segments whose guests it answers, wherever they are. */
export function segmentWays(config: Config, bridge: IntegrationBridge, run: Run): SegmentWays {
  const wayTo = (place: SegmentPlace): SegmentWays =>
    place.kind === 'localport' ? localport(place, bridge, run) : link(place, config);
  return {
    open: (segment, guests) => wayTo(segment.place).open(segment, guests),
    release: (segment) => wayTo(segment.place).release(segment),
  };
}
