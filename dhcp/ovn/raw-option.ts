import type { RawOption } from '../settings.ts';
import type { OvnOption } from './capabilities.ts';
import type { WantedOption } from './option-map.ts';
import type { OptionValue } from './option-value.ts';

/** Codes 253 and 254 are OVN's own inventions (siaddr, iPXE), not options on the wire. */
const pseudoCodes = new Set([0, 253, 254]);

/** The arbitrary options of the settings, under the names OVN has for their codes. */
export function rawOptions(
  setting: string,
  known: ReadonlyMap<string, OvnOption>,
  options: readonly RawOption[] = [],
): WantedOption[] {
  const nameOfCode = new Map(
    [...known.values()].filter(({ code }) => !pseudoCodes.has(code)).map(({ code, name }) => [code, name]),
  );
  return options.map((option) => ({
    setting,
    code: option.code,
    name: nameOfCode.get(option.code),
    value: rawValue(option),
  }));
}

function rawValue(option: RawOption): OptionValue {
  if (option.text !== undefined) return { kind: 'text', text: option.text };
  if (option.addresses !== undefined) return { kind: 'addresses', addresses: option.addresses };
  if (option.domains !== undefined) return { kind: 'domains', domains: option.domains };
  if (option.hex !== undefined) return { kind: 'hex', hex: option.hex };
  const number = option.uint8 ?? option.uint16 ?? option.uint32 ?? Number(option.flag ?? false);
  return { kind: 'number', number };
}
