import type { OvnOption } from './capabilities.ts';
import { type OptionValue, spellOption } from './option-value.ts';

/** A setting that OVN cannot say for this guest, and what the user can do about it. */
export interface Unsupported {
  /** The setting's name as the user wrote it: `captivePortal`, `options.dhcpv4`. */
  readonly setting: string;
  readonly sentence: string;
}

/** Rows of settings for OVN: what it can say, and what it cannot. `options` is in the order of its keys. */
export interface OptionMap {
  readonly options: Readonly<Record<string, string>>;
  readonly unsupported: readonly Unsupported[];
}

/** One option wanted of OVN. `code` serves to name it when OVN lacks it. */
export interface WantedOption {
  readonly setting: string;
  readonly code: number;
  /** OVN's name for it; undefined when no OVN has one. */
  readonly name: string | undefined;
  readonly value: OptionValue;
}

/** Spells every wanted option the running OVN knows and names the others. */
export function optionMap(known: ReadonlyMap<string, OvnOption>, wanted: Iterable<WantedOption>): OptionMap {
  const options: [string, string][] = [];
  const unsupported: Unsupported[] = [];
  for (const { setting, code, name, value } of wanted) {
    const option = name === undefined ? undefined : known.get(name);
    if (option === undefined) {
      unsupported.push(needsServer(setting, `option ${code}`));
      continue;
    }
    const spelling = spellOption(option.type, value);
    if (spelling.text !== undefined) options.push([option.name, spelling.text]);
    else unsupported.push({ setting, sentence: `${setting}: option ${code} ${spelling.refusal}` });
  }
  return { options: Object.fromEntries(options.sort(([a], [b]) => (a < b ? -1 : 1))), unsupported };
}

export function needsServer(setting: string, what: string): Unsupported {
  return { setting, sentence: `${setting}: ${what} needs guest.service: server; this OVN cannot say it` };
}
