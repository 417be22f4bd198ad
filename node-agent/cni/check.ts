import { z } from 'zod';
import { CommandFailed, type Run } from '../commands.ts';
import { podHostDevice } from '../device-names.ts';
import type { IntegrationBridge } from '../integration-bridge.ts';
import { CniError, cniErrorCodes } from './error.ts';
import type { CheckRequest } from './request.ts';

/**
 * CHECK: the port is on `br-int` and bound, and the pod's NIC is there as ADD answered.
 * @throws CniError that names the first thing which is not.
 */
export async function check(
  request: CheckRequest,
  { bridge, run }: { readonly bridge: IntegrationBridge; readonly run: Run },
): Promise<void> {
  const { containerId, interfaceName, netns, prevResult } = request;
  const device = podHostDevice(containerId, interfaceName);
  const port = [...bridge.ports()].find((candidate) => candidate.device === device);
  if (!port) throw notAsAdded(`port ${device} of container ${containerId} is not on the integration bridge`);
  if (!bridge.isInstalled(device))
    throw notAsAdded(`port ${port.logicalPort} on ${device} is not bound by ovn-controller`);

  const inPod = prevResult?.interfaces?.findIndex(({ name, sandbox }) => name === interfaceName && sandbox) ?? -1;
  const wanted: WantedNic = {
    mac: port.mac,
    // Only a veth carries its addresses: the NIC of a managedTap is silent, the guest has them.
    addresses:
      port.attach === 'veth'
        ? (prevResult?.ips ?? []).filter((ip) => ip.interface === inPod).map((ip) => ip.address)
        : [],
  };
  let shown: string;
  try {
    shown = await run('nsenter', [`--net=${netns}`, 'ip', '-json', 'address', 'show', 'dev', interfaceName]);
  } catch (error) {
    if (error instanceof CommandFailed)
      throw notAsAdded(`interface ${interfaceName} in ${netns}: ${error.stderr.trim()}`);
    throw error;
  }
  const difference = nicDifference(wanted, shown);
  if (difference) throw notAsAdded(`interface ${interfaceName} in ${netns}: ${difference}`);
}

export interface WantedNic {
  readonly mac: string;
  /** In CIDR notation. */
  readonly addresses: readonly string[];
}

/**
 * Compares with `ip -json address show` of the NIC.
 * @returns what is missing, or undefined.
 */
export function nicDifference({ mac, addresses }: WantedNic, shown: string): string | undefined {
  const [link] = addressList.parse(JSON.parse(shown));
  if (!link) return 'is not there';
  if (!link.flags.includes('UP')) return 'is down';
  const present = new Set(link.addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`));
  const missing = addresses.find((address) => !present.has(address));
  if (missing) return `address ${missing} is missing`;
  // virt-handler gives the NIC another MAC once the guest has this one, so only a NIC with addresses is held to it.
  if (addresses.length > 0 && link.address !== mac) return `its MAC is ${link.address}, not ${mac}`;
  return undefined;
}

const addressList = z.array(
  z.object({
    address: z.string(),
    flags: z.array(z.string()),
    addr_info: z.array(z.object({ local: z.string(), prefixlen: z.number() })).default([]),
  }),
);

function notAsAdded(sentence: string): CniError {
  return new CniError(cniErrorCodes.notAsAdded, sentence);
}
