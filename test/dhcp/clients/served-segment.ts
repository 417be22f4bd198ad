import type { GuestBinding, GuestBook, Segment } from '#dhcp/guests.ts';
import { type Service, serveSegment } from '#dhcp/service.ts';
import { type GuestSettings, parseGuestSettings } from '#dhcp/settings.ts';
import { systemClock } from '#dhcp/system-clock.ts';
import { framesTransport } from '#dhcp/transport/frames.ts';
import { segment as blue } from '../server/packets.ts';
import type { LabSegment } from './segment.ts';

/** The segment that real clients are on. */
export const segment: Segment = { ...blue, name: 'lab', relays: [] };

/** Our server on the segment's bridge, as one node's agent runs it; `mac` is its own. The router's advertisements say `settings`. */
export function agentOn(lab: LabSegment, mac: string, guests: GuestBook, settings: GuestSettings): Service {
  const open = framesTransport({
    parent: lab.bridge,
    netns: lab.netns,
    mac,
    serverId: '10.77.0.2',
    guests,
    router: { mac: '0a:00:00:00:00:fe', linkLocal: 'fe80::fe' },
  });
  return serveSegment({ segment, guests, open, advertising: { settings, isRouter: true }, clock: systemClock });
}

/** Guest `number` of the segment: 10.77.0.`number` and the same in IPv6. */
export function guestOf(number: number, settings: GuestSettings, hostName: string): GuestBinding {
  const hex = number.toString(16);
  const addresses = [`10.77.0.${number}`, `fd77::${hex}`];
  return { mac: `52:54:00:00:00:${hex.padStart(2, '0')}`, addresses, hostName, settings };
}

/** @throws Error when they are not valid, which is the test's fault. */
export function parsed(input: unknown): GuestSettings {
  const { settings, problems } = parseGuestSettings(input);
  if (settings === undefined) throw new Error(problems.map(({ sentence }) => sentence).join());
  return settings;
}
