import { be32, equalBytes } from '../wire/bytes.ts';
import { type Dhcpv6Option, decodeOptions6, option6, Status } from '../wire/dhcpv6-message.ts';

export interface AddressPlan {
  /** The guest's IPv6 addresses, 16 bytes each. */
  readonly addresses: readonly Uint8Array[];
  /** Seconds. */
  readonly t1: number;
  readonly t2: number;
  readonly valid: number;
  /**
   * assign: give what the guest has. request: the same, after checking that what it asks for is of this link. renew: also
   * end the life of addresses it should not have. giveBack: only name the IAs that hold addresses it never had.
   */
  readonly purpose: 'assign' | 'request' | 'renew' | 'giveBack';
  readonly isOnLink: (address: Uint8Array) => boolean;
}

const identityAssociation = { na: 3, ta: 4, pd: 25 } as const;

/**
 * The IA options of an answer, one for each in the request and in its order (RFC 9915 §18.3). The guest's addresses go to
 * one IA_NA: the one that already names one of them, else the first. IAID 0 is an IAID like any other.
 */
export function addressAssociations(options: readonly Dhcpv6Option[], plan: AddressPlan): Uint8Array[] {
  const requests = options.filter(({ code, content }) => code === identityAssociation.na && content.length >= 12);
  const holder =
    requests.find(({ content }) => addressesIn(content).some((address) => isOurs(address, plan))) ?? requests[0];
  return options.flatMap(({ code, content }, index) => {
    if (code === identityAssociation.na && content.length >= 12) {
      return [answer(content, plan, options[index] === holder)];
    }
    if (plan.purpose === 'giveBack') return [];
    if (code === identityAssociation.ta && content.length >= 4) {
      return [option6(code, content.subarray(0, 4), statusOption(Status.noAddrsAvail))];
    }
    if (code === identityAssociation.pd && content.length >= 12) {
      return [option6(code, content.subarray(0, 4), be32(0, 0), statusOption(Status.noPrefixAvail))];
    }
    return [];
  });
}

function answer(content: Uint8Array, plan: AddressPlan, isHolder: boolean): Uint8Array {
  const iaid = content.subarray(0, 4);
  const named = addressesIn(content);
  const foreign = named.filter((address) => !isOurs(address, plan));
  const ours = isHolder ? plan.addresses : [];
  if (plan.purpose === 'giveBack') {
    const code = foreign.length > 0 || named.length === 0 ? Status.noBinding : Status.success;
    return option6(identityAssociation.na, iaid, be32(0, 0), statusOption(code));
  }
  if (plan.purpose === 'request' && foreign.some((address) => !plan.isOnLink(address))) {
    return option6(identityAssociation.na, iaid, be32(0, 0), statusOption(Status.notOnLink));
  }
  const ended = plan.purpose === 'renew' ? foreign.map((address) => addressOption(address, 0)) : [];
  if (ours.length === 0) {
    const code = plan.purpose === 'renew' && ended.length === 0 ? Status.noBinding : Status.noAddrsAvail;
    const status = ended.length > 0 ? [] : [statusOption(code)];
    return option6(identityAssociation.na, iaid, be32(0, 0), ...ended, ...status);
  }
  const given = ours.map((address) => addressOption(address, plan.valid));
  return option6(identityAssociation.na, iaid, be32(plan.t1, plan.t2), ...given, ...ended);
}

/** IAADDR with equal preferred and valid lifetimes, in seconds. */
function addressOption(address: Uint8Array, lifetimeSeconds: number): Uint8Array {
  return option6(5, address, be32(lifetimeSeconds, lifetimeSeconds));
}

function statusOption(code: number): Uint8Array {
  return option6(13, Uint8Array.of(code >>> 8, code));
}

function isOurs(address: Uint8Array, plan: AddressPlan): boolean {
  return plan.addresses.some((own) => equalBytes(own, address));
}

/** A guest may list many addresses; an IA of ours would hold this many at most. */
const mostAddresses = 16;

export function addressesIn(ia: Uint8Array): Uint8Array[] {
  const options = decodeOptions6(ia.subarray(12)) ?? [];
  return options
    .filter(({ code, content }) => code === 5 && content.length >= 24)
    .slice(0, mostAddresses)
    .map(({ content }) => content.subarray(0, 16));
}
