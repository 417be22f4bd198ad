import { raSettingsOfVm } from '#dhcp/ovn/ra.ts';
import { type GuestSettings, parseGuestSettings } from '#dhcp/settings.ts';

/** What a VM's annotation `hawser.dev/guest` says, and sentences about what of it cannot be had. */
export interface GuestAnnotation {
  readonly own: GuestSettings;
  readonly sentences: readonly string[];
}

/** A field that cannot be understood takes the whole annotation with it: the guest is told what its network says. */
export function readGuestAnnotation(annotation: string | undefined, network: GuestSettings): GuestAnnotation {
  if (annotation === undefined) return { own: {}, sentences: [] };
  const parsed = parseGuestSettings(jsonOf(annotation));
  const problems = parsed.settings === undefined ? parsed.problems : ofNetworkOnly(network, parsed.settings);
  const sentences = problems.map(({ sentence }) => `hawser.dev/guest: ${sentence}`);
  return { own: parsed.settings ?? {}, sentences };
}

function ofNetworkOnly(network: GuestSettings, own: GuestSettings): readonly { readonly sentence: string }[] {
  const service = own.service !== undefined && own.service !== (network.service ?? 'ovn');
  return [
    ...(service ? [{ sentence: 'service: who answers is for a whole network; set it there' }] : []),
    ...(network.service === 'server' ? [] : raSettingsOfVm(network, own)),
  ];
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
