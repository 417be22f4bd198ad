import type { Run } from '../commands.ts';
import { podHostDevice } from '../device-names.ts';
import type { IntegrationBridge } from '../integration-bridge.ts';
import { deleteDevice } from '../ports/veth-pair.ts';
import type { Attachment } from './request.ts';

/**
 * DEL: takes away what ADD made for this sandbox and nothing else. A launcher pod's DEL leaves alone what a later sandbox of
 * the same VM has plugged meanwhile, since marks and device name carry the sandbox. Done when everything is already gone.
 */
export async function del(
  { containerId, interfaceName }: Pick<Attachment, 'containerId' | 'interfaceName'>,
  { bridge, run }: { readonly bridge: IntegrationBridge; readonly run: Run },
): Promise<void> {
  await Promise.all([
    bridge.unplug(({ sandbox }) => sandbox?.containerId === containerId && sandbox.interfaceName === interfaceName),
    deleteDevice(run, podHostDevice(containerId, interfaceName)),
  ]);
}
