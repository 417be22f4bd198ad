import type { Run } from '../commands.ts';
import { podHostDevice } from '../device-names.ts';
import type { IntegrationBridge } from '../integration-bridge.ts';
import { podTapDevice } from '../ports/pod-tap.ts';
import { deleteDevice } from '../ports/veth-pair.ts';
import type { SwitchPort } from '../switch-port.ts';
import type { Attachment } from './request.ts';

/**
 * DEL: takes away what ADD made for this sandbox and nothing else. A launcher pod's DEL leaves alone what a later sandbox of
 * the same VM has plugged meanwhile, since marks and device name carry the sandbox. Done when everything is already gone.
 */
export async function del(
  {
    containerId,
    interfaceName,
    netns,
  }: Pick<Attachment, 'containerId' | 'interfaceName'> & { readonly netns?: string | undefined },
  { bridge, run }: { readonly bridge: IntegrationBridge; readonly run: Run },
): Promise<void> {
  const isOurs = ({ sandbox }: SwitchPort) =>
    sandbox?.containerId === containerId && sandbox.interfaceName === interfaceName;
  const hasPodTap = [...bridge.ports()].some((port) => isOurs(port) && port.attach === 'podTap');
  await Promise.all([
    bridge.unplug(isOurs),
    deleteDevice(run, podHostDevice(containerId, interfaceName)),
    // An unplugged NIC's tap would outlive it in a sandbox that goes on; in one that ends it goes with the namespace.
    hasPodTap &&
      netns &&
      run('nsenter', [`--net=${netns}`, 'ip', 'link', 'delete', podTapDevice(interfaceName)]).catch(() => {}),
  ]);
}
