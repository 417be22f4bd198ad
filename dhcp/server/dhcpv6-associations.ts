import { be16, be32, concat, equalBytes, u16 } from '../wire/bytes.ts';
import { type Dhcpv6Option, decodeOptions6, option6, Status } from '../wire/dhcpv6-message.ts';

/** What a guest has, worked out once. */
export interface AddressPlan {
  /** The guest's IPv6 addresses, 16 bytes each. */
  readonly addresses: readonly Uint8Array[];
  /** The IA_NA that holds them: what comes before its IAID, and after: T1 and T2, then an IAADDR for each address. */
  readonly head: Uint8Array;
  readonly given: Uint8Array;
}

/**
 * assign: give what the guest has. request: the same, after checking that what it asks for is of this link. renew: also end the life
 * of addresses it should not have. giveBack: only name the IAs that hold addresses it never had.
 */
export type Purpose = 'assign' | 'request' | 'renew' | 'giveBack';

const identityAssociation = { na: 3, ta: 4, pd: 25 } as const;

/** @param times seconds. */
export function addressPlan(
  addresses: readonly Uint8Array[],
  { t1, t2, valid }: { readonly t1: number; readonly t2: number; readonly valid: number },
): AddressPlan {
  const given = concat(be32(t1, t2), ...addresses.map((address) => addressOption(address, valid)));
  return { addresses, head: be16(identityAssociation.na, iaidLength + given.length), given };
}

const iaidLength = 4;

/**
 * The IA options of an answer, in pieces: one for each in the request and in its order (RFC 9915 §18.3). The guest's addresses go to
 * one IA_NA: the one that already names one of them, else the first. IAID 0 is an IAID like any other.
 */
export function addressAssociations(
  options: readonly Dhcpv6Option[],
  plan: AddressPlan,
  purpose: Purpose,
  isOnLink: (address: Uint8Array) => boolean,
): Uint8Array[] {
  const holder = holderOf(options, plan);
  const answers: Uint8Array[] = [];
  for (const option of options) {
    const { code, content } = option;
    if (code === identityAssociation.na && content.length >= 12) {
      if (option === holder && purpose !== 'giveBack' && namesOnlyOurs(content, plan)) {
        answers.push(plan.head, content.subarray(0, iaidLength), plan.given);
      } else answers.push(answer(content, plan, option === holder, purpose, isOnLink));
    } else if (purpose === 'giveBack') {
      // Only what we give can be given back.
    } else if (code === identityAssociation.ta && content.length >= 4) {
      answers.push(option6(code, content.subarray(0, 4), statusOption(Status.noAddrsAvail)));
    } else if (code === identityAssociation.pd && content.length >= 12) {
      answers.push(option6(code, content.subarray(0, 4), none, statusOption(Status.noPrefixAvail)));
    }
  }
  return answers;
}

/** T1 and T2 of an IA that holds nothing. */
const none = be32(0, 0);

function holderOf(options: readonly Dhcpv6Option[], plan: AddressPlan): Dhcpv6Option | undefined {
  let first: Dhcpv6Option | undefined;
  let isOnly = true;
  for (const option of options) {
    if (option.code !== identityAssociation.na || option.content.length < 12) continue;
    if (first === undefined) first = option;
    else isOnly = false;
  }
  if (isOnly) return first;
  return (
    options.find(
      ({ code, content }) => code === identityAssociation.na && addressesIn(content).some((one) => isOurs(one, plan)),
    ) ?? first
  );
}

function answer(
  content: Uint8Array,
  plan: AddressPlan,
  isHolder: boolean,
  purpose: Purpose,
  isOnLink: (address: Uint8Array) => boolean,
): Uint8Array {
  const iaid = content.subarray(0, 4);
  const named = addressesIn(content);
  const foreign = named.filter((address) => !isOurs(address, plan));
  if (purpose === 'giveBack') {
    const code = foreign.length > 0 || named.length === 0 ? Status.noBinding : Status.success;
    return option6(identityAssociation.na, iaid, none, statusOption(code));
  }
  if (purpose === 'request' && foreign.some((address) => !isOnLink(address))) {
    return option6(identityAssociation.na, iaid, none, statusOption(Status.notOnLink));
  }
  const ended = purpose === 'renew' ? foreign.map((address) => addressOption(address, 0)) : [];
  if (!isHolder || plan.addresses.length === 0) {
    const code = purpose === 'renew' && ended.length === 0 ? Status.noBinding : Status.noAddrsAvail;
    const status = ended.length > 0 ? [] : [statusOption(code)];
    return option6(identityAssociation.na, iaid, none, ...ended, ...status);
  }
  return option6(identityAssociation.na, iaid, plan.given, ...ended);
}

/** What nearly every guest asks for, found out without taking its request apart. */
function namesOnlyOurs(ia: Uint8Array, { addresses }: AddressPlan): boolean {
  if (addresses.length === 0) return false;
  let at = 12;
  for (; at + 28 <= ia.length; at += 28) {
    if (u16(ia, at) !== 5 || u16(ia, at + 2) !== 24 || !addresses.some((own) => isAt(ia, at + 4, own))) return false;
  }
  return at === ia.length;
}

function isAt(bytes: Uint8Array, at: number, part: Uint8Array): boolean {
  for (let i = 0; i < part.length; i++) if (bytes[at + i] !== part[i]) return false;
  return true;
}

/** IAADDR with equal preferred and valid lifetimes, in seconds. */
function addressOption(address: Uint8Array, lifetimeSeconds: number): Uint8Array {
  return option6(5, address, be32(lifetimeSeconds, lifetimeSeconds));
}

function statusOption(code: number): Uint8Array {
  return option6(13, be16(code));
}

function isOurs(address: Uint8Array, plan: AddressPlan): boolean {
  return plan.addresses.some((own) => equalBytes(own, address));
}

/** A guest may list many addresses; an IA of ours would hold this many at most. */
const mostAddresses = 16;

export function addressesIn(ia: Uint8Array): readonly Uint8Array[] {
  if (ia.length <= 12) return noAddresses;
  const addresses: Uint8Array[] = [];
  for (const { code, content } of decodeOptions6(ia.subarray(12)) ?? []) {
    if (code === 5 && content.length >= 24 && addresses.length < mostAddresses) addresses.push(content.subarray(0, 16));
  }
  return addresses;
}

const noAddresses: readonly Uint8Array[] = [];
