import { framesTransport } from '#dhcp/transport/frames.ts';
import { TransportError } from '#dhcp/transport/transport.ts';
import type { Run } from '../commands.ts';
import { localportDevices } from '../device-names.ts';
import type { IntegrationBridge } from '../integration-bridge.ts';
import { deleteDevice, silenceDevice } from '../ports/veth-pair.ts';
import type { SegmentWays } from './guest-servers.ts';
import type { SegmentPlace } from './served-guest.ts';

type Localport = Extract<SegmentPlace, { kind: 'localport' }>;

/**
 * The server's way to a segment on `br-int`: a veth pair, one end plugged as the segment's localport, and a macvtap on the other,
 * since a macvtap cannot sit on a device that is a port of Open vSwitch. The kernel itself stays silent on both ends.
 */
export function localport({ mac }: Localport, bridge: IntegrationBridge, run: Run): SegmentWays {
  return {
    open:
      ({ segment, router }, guests) =>
      async (events) => {
        const { onBridge, inside } = localportDevices(segment.name);
        try {
          if (!(await isPresent(run, inside))) {
            await run('ip', ['link', 'add', 'name', onBridge, 'type', 'veth', 'peer', 'name', inside]);
            for (const device of [onBridge, inside]) {
              await silenceDevice(device);
              await run('ip', ['link', 'set', device, 'up']);
            }
          }
          const isPlugged = [...bridge.ports()].some(
            (port) => port.device === onBridge && port.logicalPort === segment.name,
          );
          if (!isPlugged) await bridge.plug({ device: onBridge, logicalPort: segment.name, mac, attach: 'localport' });
        } catch (cause) {
          throw new TransportError(cause instanceof Error ? cause.message : String(cause));
        }
        const { serverId } = segment;
        const options = { ...(serverId !== undefined && { serverId }), ...(router && { router }) };
        return await framesTransport({ parent: inside, mac, guests, answersArp: false, ...options })(events);
      },
    async release({ segment }) {
      const { onBridge } = localportDevices(segment.name);
      await bridge.unplug(({ device }) => device === onBridge);
      await deleteDevice(run, onBridge);
    },
  };
}

async function isPresent(run: Run, device: string): Promise<boolean> {
  const links = await run('ip', ['-br', 'link', 'show']);
  return links.split('\n').some((line) => /^[^@\s]+/.exec(line)?.[0] === device);
}
