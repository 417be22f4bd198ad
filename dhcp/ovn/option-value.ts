import { encodedDomains } from '../wire/domain-name.ts';

/** What an option is to carry, before it is known how the running OVN types that option. */
export type OptionValue =
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'domains'; readonly domains: readonly string[] }
  | { readonly kind: 'mac'; readonly mac: string }
  | { readonly kind: 'routes'; readonly routes: readonly { readonly to: string; readonly via: string }[] }
  | { readonly kind: 'hex'; readonly hex: string };

export type Spelling =
  | { readonly text: string; readonly refusal?: never }
  | { readonly text?: never; readonly refusal: string };

/**
 * The value as northd wants it in `DHCP_Options.options`. northd pastes it unread into the logical flow action
 * (`put_dhcp_opts(name = value, …)`), where ovn-controller's lexer reads it: strings need quotes of their own, sets need
 * braces, and one value it cannot read removes the whole flow and so all DHCP from the port. Hence a value that does not
 * fit the option's type is refused here.
 */
export function spellOption(type: string, value: OptionValue): Spelling {
  switch (type) {
    case 'ipv4':
    case 'ipv6':
      return value.kind === 'addresses' ? addressSet(value.addresses) : refuse(type, value);
    case 'static_routes':
      return value.kind === 'routes' ? routeSet(value.routes) : refuse(type, value);
    case 'bool':
      return value.kind === 'number' ? whole(value.number, 1) : refuse(type, value);
    case 'uint8':
      return value.kind === 'number' ? whole(value.number, 0xff) : refuse(type, value);
    case 'uint16':
      return value.kind === 'number' ? whole(value.number, 0xffff) : refuse(type, value);
    case 'uint32':
      return value.kind === 'number' ? whole(value.number, 0xffff_ffff) : refuse(type, value);
    case 'mac':
      return value.kind === 'mac' ? { text: value.mac } : refuse(type, value);
    case 'host_id':
      if (value.kind === 'addresses') return addressSet(value.addresses.slice(0, 1));
      return value.kind === 'text' ? quoted(value.text) : refuse(type, value);
    case 'str':
    case 'domain':
      return value.kind === 'text' ? quoted(value.text) : refuse(type, value);
    case 'domains':
      return value.kind === 'domains' ? searchList(value.domains) : refuse(type, value);
    default:
      return { refusal: `is of the type ${type}, which Hawser does not know` };
  }
}

function refuse(type: string, value: OptionValue): Spelling {
  return { refusal: `takes ${type} in OVN and cannot carry ${value.kind}` };
}

function addressSet(addresses: readonly string[]): Spelling {
  const [only] = addresses;
  if (only === undefined) return { refusal: 'has no address' };
  return { text: addresses.length === 1 ? only : `{${addresses.join(', ')}}` };
}

function routeSet(routes: readonly { to: string; via: string }[]): Spelling {
  const bytes = routes.reduce((sum, { to }) => sum + 5 + Math.ceil(Number(to.split('/')[1]) / 8), 0);
  if (bytes > 255) return { refusal: `needs ${bytes} bytes and OVN writes at most 255` };
  return { text: `{${routes.map(({ to, via }) => `${to},${via}`).join(', ')}}` };
}

function whole(number: number, most: number): Spelling {
  return number <= most ? { text: String(number) } : { refusal: `takes at most ${most} in OVN` };
}

/** OVN's lexer reads JSON strings; printable ASCII is all that settings let through. */
function quoted(text: string): Spelling {
  if (!/^[\x20-\x7e]{1,255}$/.test(text)) return { refusal: 'takes 1 to 255 printable characters in OVN' };
  return { text: JSON.stringify(text) };
}

/**
 * OVN compresses the list by remembering every suffix without its last character, so it takes `a.com` and `a.con` for one
 * name (lib/actions.c, `ovs_strlcpy(suffix, domain, strlen(domain))`).
 */
function searchList(domains: readonly string[]): Spelling {
  const seen = new Map<string, string>();
  for (const domain of domains) {
    const labels = domain.split('.');
    for (let from = 0; from < labels.length; from++) {
      const suffix = labels.slice(from).join('.');
      const mistaken = seen.get(suffix.slice(0, -1));
      if (mistaken !== undefined && mistaken !== suffix) {
        return {
          refusal: `cannot hold both ${mistaken} and ${suffix} in OVN, which confuses names that differ in their last character`,
        };
      }
      seen.set(suffix.slice(0, -1), suffix);
    }
  }
  if (encodedDomains(domains).length > 255) return { refusal: 'needs more than the 255 bytes OVN writes' };
  return quoted(domains.join(','));
}
