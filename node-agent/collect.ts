import { z } from 'zod';
import type { Run } from './commands.ts';
import { tapDevice, tapDevicePattern } from './device-names.ts';
import type { IntegrationBridge } from './integration-bridge.ts';
import type { PluggedPort } from './plug-operations.ts';
import type { PortRequest } from './port-request.ts';
import { deleteDevice } from './ports/veth-pair.ts';

/** A device of this node; `isOpen` for a tap that a process has open. */
export interface Device {
  readonly name: string;
  readonly isOpen: boolean;
}

export interface Leftovers {
  /** Ports to take off the bridge. */
  readonly ports: readonly PluggedPort[];
  /** Devices to delete. */
  readonly devices: readonly string[];
}

/**
 * What is surely left over from before: nobody can be using it.
 *
 * - A pod's port without its device: the pair went with the pod's network namespace while no agent took the DEL.
 * - A tap that is neither requested for this node nor open in a process: its VM went, or the agent died while it made it.
 *
 * A pod's port whose device is there stays, requested or not: a pod may be living on it, and its DEL will come.
 */
export function leftovers(
  plugged: Iterable<PluggedPort>,
  devices: readonly Device[],
  requested: Iterable<PortRequest>,
): Leftovers {
  const present = new Map(devices.map((device) => [device.name, device]));
  const wantedTaps = new Set([...requested].map(({ ownerUid, logicalPort }) => tapDevice(ownerUid, logicalPort)));
  const isIdleTap = (name: string) => !wantedTaps.has(name) && !present.get(name)?.isOpen;
  return {
    ports: [...plugged].filter(({ attach, device }) => (attach === 'tap' ? isIdleTap(device) : !present.has(device))),
    devices: devices.map(({ name }) => name).filter((name) => tapDevicePattern.test(name) && isIdleTap(name)),
  };
}

/**
 * Removes what is left over. Only with both databases in sync: what is not known to be requested must be known not to be.
 */
export async function collect(
  bridge: IntegrationBridge,
  requested: Iterable<PortRequest>,
  run: Run,
): Promise<Leftovers> {
  const devices = parseDevices(await run('ip', ['-json', '-details', 'link', 'show']));
  const found = leftovers(bridge.ports(), devices, requested);
  const portUuids = new Set(found.ports.map(({ portUuid }) => portUuid));
  // By UUID: meanwhile the same device may have been plugged anew.
  await bridge.unplug(({ portUuid }) => portUuids.has(portUuid));
  for (const device of found.devices) await deleteDevice(run, device);
  return found;
}

/** Reads `ip -json -details link show`. */
export function parseDevices(text: string): readonly Device[] {
  return linkList.parse(JSON.parse(text)).map(({ ifname, linkinfo }) => ({
    name: ifname,
    isOpen: (linkinfo?.info_data?.numqueues ?? 0) > 0,
  }));
}

const linkList = z.array(
  z.object({
    ifname: z.string(),
    linkinfo: z.object({ info_data: z.object({ numqueues: z.number().optional() }).optional() }).optional(),
  }),
);
