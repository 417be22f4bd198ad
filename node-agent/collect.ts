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
 * Ports of pods whose device is gone: the pair went with the pod's network namespace while no agent took the DEL. One whose device
 * is there stays, requested or not: a pod may be living on it, and its DEL will come.
 */
export function leftoverPodPorts(plugged: Iterable<PluggedPort>, devices: readonly Device[]): Leftovers {
  const present = new Set(devices.map(({ name }) => name));
  return { ports: [...plugged].filter(({ sandbox, device }) => sandbox && !present.has(device)), devices: [] };
}

/**
 * Taps that are neither requested for this node nor open in a process: their VM went, or the agent died while it made them. To be
 * asked only when `requested` is known to be all there is.
 */
export function leftoverTaps(
  plugged: Iterable<PluggedPort>,
  devices: readonly Device[],
  requested: Iterable<PortRequest>,
): Leftovers {
  const isOpen = new Map(devices.map((device) => [device.name, device.isOpen]));
  const wanted = new Set([...requested].map(({ ownerUid, logicalPort }) => tapDevice(ownerUid, logicalPort)));
  const isIdle = (name: string) => !wanted.has(name) && !isOpen.get(name);
  return {
    ports: [...plugged].filter(({ attach, device }) => attach === 'tap' && isIdle(device)),
    devices: devices.map(({ name }) => name).filter((name) => tapDevicePattern.test(name) && isIdle(name)),
  };
}

/** Ports of our own server on segments of which no guest is here: the guests went while there was no agent. */
export function leftoverLocalports(plugged: Iterable<PluggedPort>, requested: Iterable<PortRequest>): Leftovers {
  const served = new Set([...requested].map(({ guest }) => guest?.segment));
  const ports = [...plugged].filter(({ attach, logicalPort }) => attach === 'localport' && !served.has(logicalPort));
  return { ports, devices: ports.map(({ device }) => device) };
}

/** The devices of this node's network namespace. */
export async function listDevices(run: Run): Promise<readonly Device[]> {
  return parseDevices(await run('ip', ['-json', '-details', 'link', 'show']));
}

export async function removeLeftovers(
  { ports, devices }: Leftovers,
  bridge: IntegrationBridge,
  run: Run,
): Promise<void> {
  const portUuids = new Set(ports.map(({ portUuid }) => portUuid));
  // By UUID: meanwhile the same device may have been plugged anew.
  await bridge.unplug(({ portUuid }) => portUuids.has(portUuid));
  for (const device of devices) await deleteDevice(run, device);
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
