import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { addressBytes, canonicalAddress, canonicalMac, parsePrefix, sharesBits } from '../address.ts';
import { GuestBook } from '../guests.ts';
import { problemsOf } from '../settings/problems.ts';
import { isLabel } from '../settings/values.ts';
import { type GuestSettings, mergeGuestSettings, parseGuestSettings } from '../settings.ts';

const guestSchema = z.strictObject({
  mac: z.string(),
  addresses: z.array(z.string()).min(1),
  hostName: z.exactOptional(z.string()),
  guest: z.exactOptional(z.unknown()),
});

type GuestInput = z.output<typeof guestSchema>;

/** The guests of one segment's configuration; what is wrong with them is added to `problems`, with where it stands. */
export class GuestReader {
  readonly guests = new GuestBook();
  readonly #settings: GuestSettings;
  readonly #subnets: readonly { readonly network: Uint8Array; readonly length: number }[];
  readonly #problems: string[];
  /** Guests with the same settings of their own share one object, so that they share what is computed from it. */
  readonly #known = new Map<string, GuestSettings>();
  readonly #taken = new Set<string>();

  /** @param settings of the segment, which each guest's own are merged into */
  constructor(settings: GuestSettings, subnets: readonly string[], problems: string[]) {
    this.#settings = settings;
    this.#subnets = subnets
      .flatMap((text) => parsePrefix(text) ?? [])
      .map(({ address, length }) => ({ network: addressBytes(address), length }));
    this.#problems = problems;
  }

  /** @param where what the guest is called in a sentence about it */
  add(input: unknown, where: string): void {
    if (!isGuestInput(input)) {
      const { error } = guestSchema.safeParse(input, { reportInput: true });
      const problems = problemsOf(error?.issues ?? [], 'field of a guest', 'a guest');
      this.#problems.push(...problems.map(({ sentence }) => `${where}.${sentence}`));
      return;
    }
    const mac = canonicalMac(input.mac);
    if (mac === undefined) this.#problems.push(`${where}.mac: ${JSON.stringify(input.mac)} is not an Ethernet address`);
    else if (this.guests.byMac.has(mac)) this.#problems.push(`${where}.mac: ${mac} is another guest's already`);
    const addresses = input.addresses.flatMap((text, index) => this.#address(text, `${where}.addresses[${index}]`));
    const settings = this.#settingsOf(input.guest, where);
    if (input.hostName !== undefined && !isLabel(input.hostName)) {
      this.#problems.push(`${where}.hostName: ${JSON.stringify(input.hostName)} is not a host name of one label`);
    }
    if (mac === undefined) return;
    this.guests.set({ mac, addresses, settings, ...(input.hostName !== undefined && { hostName: input.hostName }) });
  }

  /** A file of one JSON object per line, read as a stream. */
  async addFile(file: string): Promise<void> {
    let number = 0;
    try {
      for await (const line of createInterface({
        input: createReadStream(file),
        crlfDelay: Number.POSITIVE_INFINITY,
      })) {
        number++;
        if (line !== '') this.add(JSON.parse(line), `${file}:${number}`);
      }
    } catch (error) {
      const where = number === 0 ? file : `${file}:${number}`;
      this.#problems.push(`${where}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #address(text: string, where: string): readonly string[] {
    const address = canonicalAddress(text);
    const why = address === undefined ? 'is not an address' : this.#complaint(address);
    if (why !== undefined) this.#problems.push(`${where}: ${JSON.stringify(text)} ${why}`);
    return address === undefined ? [] : [address];
  }

  #complaint(address: string): string | undefined {
    const bytes = addressBytes(address);
    const isOnLink = this.#subnets.some(
      ({ network, length }) => network.length === bytes.length && sharesBits(network, bytes, length),
    );
    if (!isOnLink) return 'is in none of the subnets';
    if (this.#taken.has(address)) return "is another guest's already";
    this.#taken.add(address);
    return undefined;
  }

  #settingsOf(input: unknown, where: string): GuestSettings {
    if (input === undefined) return this.#settings;
    const key = JSON.stringify(input);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const { settings: own = {}, problems = [] } = parseGuestSettings(input);
    this.#problems.push(...problems.map(({ sentence }) => `${where}.guest.${sentence}`));
    const settings = mergeGuestSettings(this.#settings, own);
    this.#known.set(key, settings);
    return settings;
  }
}

/** What `guestSchema` accepts. Written out because a file may hold a hundred thousand guests. */
function isGuestInput(input: unknown): input is GuestInput {
  if (typeof input !== 'object' || input === null || !('mac' in input) || !('addresses' in input)) return false;
  for (const key of Object.keys(input)) if (!(key in guestSchema.shape)) return false;
  const { mac, addresses } = input;
  const namesWell = !('hostName' in input) || typeof input.hostName === 'string';
  const isFull = Array.isArray(addresses) && addresses.length > 0;
  return namesWell && typeof mac === 'string' && isFull && addresses.every((address) => typeof address === 'string');
}
