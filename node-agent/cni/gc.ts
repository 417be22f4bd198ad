import type { SandboxMark, SwitchPort } from '../switch-port.ts';
import type { GcRequest } from './request.ts';

/**
 * GC: the attachments of this network that the runtime no longer knows; each is then removed as by DEL. Ports of other networks
 * are not spoken of in the list, and direct taps belong to no sandbox: both stay.
 */
export function staleAttachments(request: GcRequest, ports: Iterable<SwitchPort>): readonly SandboxMark[] {
  const valid = new Set(request.attachments.map(({ containerId, interfaceName }) => `${containerId} ${interfaceName}`));
  return [...ports].flatMap(({ sandbox }) => {
    const isStale =
      sandbox?.network === request.network && !valid.has(`${sandbox.containerId} ${sandbox.interfaceName}`);
    return sandbox && isStale ? [sandbox] : [];
  });
}
