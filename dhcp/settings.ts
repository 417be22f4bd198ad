import type * as z from 'zod';
import { problemsOf, type SettingsProblem } from './settings/problems.ts';
import { guestSettingsSchema } from './settings/schema.ts';

/** Everything a guest is told besides its own addresses. Addresses are in canonical spelling, times in seconds. */
export type GuestSettings = z.output<typeof guestSettingsSchema>;

/** One arbitrary option: a code and exactly one kind of value. */
export type RawOption = NonNullable<NonNullable<GuestSettings['options']>['dhcpv4']>[number];

export type ParsedSettings =
  | { readonly settings: GuestSettings; readonly problems?: never }
  | { readonly settings?: never; readonly problems: readonly SettingsProblem[] };

/** Lease length when none is set, seconds. */
export const defaultLeaseSeconds = 3600;

/** Validates `input` (a Network's `guest`, or the parsed annotation of a VM) and brings it into canonical form. */
export function parseGuestSettings(input: unknown): ParsedSettings {
  const parsed = guestSettingsSchema.safeParse(input, { reportInput: true });
  if (!parsed.success) return { problems: problemsOf(parsed.error.issues, 'guest setting', 'guest settings') };
  const problems = [...leaseProblems(parsed.data), ...repeatedCodes(parsed.data)];
  return problems.length > 0 ? { problems } : { settings: parsed.data };
}

/**
 * A VM's settings over its Network's: each field of the VM replaces the Network's; `dns`, `boot` and `ra` are merged field
 * by field; `leaseSeconds` takes T1 and T2 with it, so that two valid settings always make a valid one; arbitrary options
 * are merged by code.
 */
export function mergeGuestSettings(network: GuestSettings, vm: GuestSettings): GuestSettings {
  const { renewSeconds: _t1, rebindSeconds: _t2, ...networkWithoutTimes } = network;
  const merged: GuestSettings = { ...(vm.leaseSeconds === undefined ? network : networkWithoutTimes), ...vm };
  return {
    ...merged,
    ...(network.dns && vm.dns && { dns: { ...network.dns, ...vm.dns } }),
    ...(network.boot && vm.boot && { boot: { ...network.boot, ...vm.boot } }),
    ...(network.ra && vm.ra && { ra: { ...network.ra, ...vm.ra } }),
    ...(network.options && vm.options && { options: mergeOptions(network.options, vm.options) }),
  };
}

type Options = NonNullable<GuestSettings['options']>;

function mergeOptions(network: Options, vm: Options): Options {
  const byCode = (a: readonly RawOption[] = [], b: readonly RawOption[] = []): readonly RawOption[] =>
    [...new Map([...a, ...b].map((option) => [option.code, option])).values()].sort((x, y) => x.code - y.code);
  return { dhcpv4: byCode(network.dhcpv4, vm.dhcpv4), dhcpv6: byCode(network.dhcpv6, vm.dhcpv6) };
}

function leaseProblems(settings: GuestSettings): SettingsProblem[] {
  const { leaseSeconds, renewSeconds, rebindSeconds } = settings;
  const problems: SettingsProblem[] = [];
  const lease = leaseSeconds ?? 0;
  for (const [field, value] of Object.entries({ renewSeconds, rebindSeconds })) {
    if (value === undefined) continue;
    if (leaseSeconds === undefined) problems.push({ field, sentence: `${field}: needs leaseSeconds beside it` });
    else if (value >= lease)
      problems.push({ field, sentence: `${field}: ${value} is not shorter than leaseSeconds (${lease})` });
  }
  const t1 = renewSeconds ?? Math.floor(lease / 2);
  const t2 = rebindSeconds ?? Math.floor((lease * 7) / 8);
  if (problems.length === 0 && t1 > t2) {
    const field = renewSeconds === undefined ? 'rebindSeconds' : 'renewSeconds';
    problems.push({ field, sentence: `${field}: T1 (${t1}) is later than T2 (${t2})` });
  }
  return problems;
}

function repeatedCodes(settings: GuestSettings): SettingsProblem[] {
  return (['dhcpv4', 'dhcpv6'] as const).flatMap((family) => {
    const codes = (settings.options?.[family] ?? []).map(({ code }) => code);
    return codes.flatMap((code, index) => {
      const field = `options.${family}[${index}].code`;
      return codes.indexOf(code) < index ? [{ field, sentence: `${field}: option ${code} is there twice` }] : [];
    });
  });
}
