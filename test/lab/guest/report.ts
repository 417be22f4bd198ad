/** What a guest sees of its network, from its own clients, kernel and tools. */
export interface GuestReport {
  /** Made new by the kernel at every boot; the same before and after means the guest never rebooted. */
  bootId: string;
  uptimeSeconds: number;
  hostName: string;
  mac: string;
  /** Bytes, of eth0; `mtu6` is what IPv6 uses on it and may be lower, when a router advertisement said so. */
  mtu: number;
  mtu6: number;
  /** `10.9.0.55/24`, of global scope. */
  ipv4: string[];
  /** `fd00:9::55/128`, of global scope and past duplicate address detection. */
  ipv6: string[];
  linkLocal: string | undefined;
  gateway: { ipv4: GuestGateway | undefined; ipv6: GuestGateway | undefined };
  /** `ip route` and `ip -6 route`, a line each, without counters. */
  routes: { ipv4: string[]; ipv6: string[] };
  dns: string[];
  search: string[];
  ntp: string[];
  /** What dhclient and udhcpc gave their scripts, by their names: `serverid`, `new_dhcp6_name_servers`; empty without a lease. */
  lease: { dhcpv4: Record<string, string>; dhcpv6: Record<string, string> };
  /** What rdisc6 printed of the first router advertisement, by its names: `Stateful address conf.` → `Yes`. */
  routerAdvertisement: Record<string, string>;
  /** The clients' own words. */
  log: { udhcpc: string; dhclient6: string; rdisc6: string };
}

export interface GuestGateway {
  ip: string;
  /** From the guest's neighbour table; undefined when it does not resolve. */
  mac: string | undefined;
  /** The answer to an ARP request or neighbour solicitation sent just now. */
  answeredMac: string | undefined;
}

/**
 * Reads one line that `root/sbin/report` wrote: a JSON object of raw texts.
 * @throws Error when it is not such a line; the guest image is ours, so that is our bug.
 */
export function parseGuestReport(line: string): GuestReport {
  const raw = rawSections(line);
  const section = (name: string): string => raw[name] ?? '';
  const addresses = parseAddresses(section('addresses'));
  return {
    bootId: section('bootId').trim(),
    uptimeSeconds: Number.parseFloat(section('uptime')),
    hostName: section('hostName').trim(),
    ...addresses,
    mtu6: Number(section('mtu6')),
    gateway: {
      ipv4: gateway(section('routes4'), section('neighbours4'), section('arping')),
      ipv6: gateway(section('routes6'), section('neighbours6'), section('ndisc6')),
    },
    routes: { ipv4: routeLines(section('routes4')), ipv6: routeLines(section('routes6')) },
    dns: resolvConf(section('resolvConf'), 'nameserver'),
    search: resolvConf(section('resolvConf'), 'search'),
    ntp: lines(section('ntp')),
    lease: { dhcpv4: environment(section('dhcpv4')), dhcpv6: environment(section('dhcpv6')) },
    routerAdvertisement: routerAdvertisement(section('routerAdvertisement')),
    log: {
      udhcpc: section('udhcpcLog'),
      dhclient6: section('dhclient6Log'),
      rdisc6: section('routerAdvertisement'),
    },
  };
}

function rawSections(line: string): Record<string, string> {
  const value: unknown = JSON.parse(line);
  if (typeof value !== 'object' || value === null) throw new Error(`not a guest report: ${line.slice(0, 80)}`);
  return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, String(text)]));
}

/** `ip addr show dev eth0` as busybox prints it. */
function parseAddresses(text: string): Pick<GuestReport, 'mac' | 'mtu' | 'ipv4' | 'ipv6' | 'linkLocal'> {
  const found = { mac: '', mtu: Number(/ mtu (\d+)/.exec(text)?.[1]), ipv4: [] as string[], ipv6: [] as string[] };
  let linkLocal: string | undefined;
  for (const line of lines(text)) {
    const [word, value] = line.split(/\s+/);
    if (value === undefined || /\btentative\b|\bdadfailed\b/.test(line)) continue;
    if (word === 'link/ether') found.mac = value;
    else if (word === 'inet') found.ipv4.push(value);
    else if (word === 'inet6' && line.includes('scope global')) found.ipv6.push(value);
    else if (word === 'inet6' && line.includes('scope link')) linkLocal = value;
  }
  return { ...found, linkLocal };
}

function gateway(routes: string, neighbours: string, probe: string): GuestGateway | undefined {
  const ip = /^default via (\S+)/m.exec(routes)?.[1];
  if (ip === undefined) return undefined;
  const entry = lines(neighbours).find((line) => line.startsWith(`${ip} `));
  return { ip, mac: macIn(entry ?? ''), answeredMac: macIn(probe) };
}

function macIn(text: string): string | undefined {
  return /\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b/i.exec(text)?.[0].toLowerCase();
}

/** Without `expires`, which counts down, and the kernel's own multicast routes. */
function routeLines(text: string): string[] {
  return lines(text)
    .filter((line) => !line.startsWith('multicast ') && !line.startsWith('ff00::'))
    .map((line) => line.replace(/\s+expires -?\d+sec/, '').replace(/\s+/g, ' '));
}

function resolvConf(text: string, keyword: string): string[] {
  return lines(text)
    .map((line) => line.split(/\s+/))
    .filter(([word]) => word === keyword)
    .flatMap(([, ...values]) => values);
}

function environment(text: string): Record<string, string> {
  const shell = new Set(['HOME', 'PATH', 'PWD', 'SHLVL', 'TERM', 'OLDPWD', '_']);
  return Object.fromEntries(
    lines(text)
      .map((line): [string, string] => {
        const equals = line.indexOf('=');
        return [line.slice(0, equals), line.slice(equals + 1)];
      })
      .filter(([name]) => name !== '' && !shell.has(name)),
  );
}

function routerAdvertisement(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const line of lines(text)) {
    const [, name, value] = /^(\S.*?)\s*: +(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) found[name] = value;
    else if (line.startsWith('from ')) found.from = line.slice('from '.length);
  }
  return found;
}

function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
