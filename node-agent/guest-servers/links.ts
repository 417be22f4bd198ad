import { createHash } from 'node:crypto';
import { framesTransport } from '#dhcp/transport/frames.ts';
import { TransportError } from '#dhcp/transport/transport.ts';
import type { Config } from '../config.ts';
import type { SegmentWays } from './guest-servers.ts';
import type { SegmentPlace } from './served-guest.ts';

type Link = Extract<SegmentPlace, { kind: 'link' }>;

/**
 * The server's way to a segment that is not on `br-int`: a macvtap on the device by which this node is on it. Other machines are there
 * too, among them the segment's routers: only guests of this node hear anything.
 */
export function link(place: Link, { guestLinks, nodeName }: Pick<Config, 'guestLinks' | 'nodeName'>): SegmentWays {
  const { physicalNetwork, vlan } = place;
  const found = guestLinks.find((one) => one.physicalNetwork === physicalNetwork && one.vlan === vlan);
  return {
    open:
      ({ segment }, guests) =>
      async (events) => {
        if (found === undefined) {
          const tagged = vlan === undefined ? '' : `, VLAN ${vlan}`;
          throw new TransportError(
            `guestLinks names no device for ${physicalNetwork}${tagged}: its guests are not answered`,
          );
        }
        const { serverId, name } = segment;
        return await framesTransport({
          parent: found.device,
          mac: macOnLink(nodeName, name),
          guests,
          answersArp: false,
          isShared: true,
          ...(serverId !== undefined && { serverId }),
        })(events);
      },
    release: async () => {},
  };
}

/** Locally administered, and another one on each node, since the nodes meet there. */
function macOnLink(nodeName: string, segment: string): string {
  const digits = createHash('sha256').update(`${nodeName}\n${segment}`).digest('hex').match(/../g) ?? [];
  return ['0a', ...digits.slice(0, 5)].join(':');
}
