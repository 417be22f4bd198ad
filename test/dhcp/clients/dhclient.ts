import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandFailed, run } from '#test/lab/topology/command.ts';
import type { ClientPlace } from './place.ts';

/** What dhclient told its script, without the `new_`: `routers` → `10.0.0.1`. */
export type Lease = Readonly<Record<string, string>>;

/** Options dhclient has no name for, by ours. */
const definitions = `
option rfc3442 code 121 = array of unsigned integer 8;
option ms-routes code 249 = array of unsigned integer 8;
option captive-portal code 114 = text;
option v6-only code 108 = unsigned integer 32;
option tftp-addresses code 150 = array of ip-address;
option path-prefix code 210 = text;
option wpad code 252 = text;
option capwap code 138 = array of ip-address;
option private-224 code 224 = string;
option private-225 code 225 = domain-list;
option dhcp6.ntp code 56 = string;
option dhcp6.portal code 103 = text;
option dhcp6.boot-parameters code 60 = string;
option dhcp6.private-1 code 65001 = text;
option dhcp6.private-2 code 65002 = string;
option dhcp6.private-3 code 65003 = array of ip6-address;
option dhcp6.private-4 code 65004 = domain-list;
option dhcp6.private-5 code 65005 = boolean;
option dhcp6.private-6 code 65006 = unsigned integer 8;
option dhcp6.private-7 code 65007 = unsigned integer 16;
option dhcp6.private-8 code 65008 = unsigned integer 32;
`;
const wanted4 = `subnet-mask, broadcast-address, routers, domain-name, domain-name-servers, host-name, interface-mtu,
 domain-search, ntp-servers, rfc3442, ms-routes, captive-portal, v6-only, tftp-server-name, bootfile-name, tftp-addresses, path-prefix, wpad,
 capwap, private-224, private-225, vendor-encapsulated-options, default-tcp-ttl, netbios-node-type, ip-forwarding, max-dgram-reassembly,
 arp-cache-timeout, fqdn`;
const wanted6 = `dhcp6.name-servers, dhcp6.domain-search, dhcp6.ntp, dhcp6.bootfile-url, dhcp6.boot-parameters, dhcp6.portal, dhcp6.sntp-servers,
 dhcp6.fqdn, ${[1, 2, 3, 4, 5, 6, 7, 8].map((n) => `dhcp6.private-${n}`).join(', ')}`;

export interface DhclientOptions {
  /** How long it asks; 15. */
  readonly seconds?: number;
  /** Over IPv6, asks for configuration only and for no address. */
  readonly stateless?: boolean;
  /** Statements of dhclient.conf(5) that say what it sends of itself. */
  readonly sends?: string;
}

/** Runs dhclient once on `device` and gives the lease it got, or undefined when nobody answered in time. */
export async function dhclient(
  place: ClientPlace,
  family: 4 | 6,
  options: DhclientOptions = {},
): Promise<Lease | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'hawser-dhclient-'));
  const file = (name: string): string => join(folder, name);
  try {
    await writeFile(
      file('conf'),
      `${definitions}\nalso request ${family === 4 ? wanted4 : wanted6};\ntimeout ${options.seconds ?? 15};\n${options.sends ?? ''}\n`,
    );
    await writeFile(file('script'), `#!/bin/sh\nenv | grep '^new_\\|^reason=' > ${file('lease')}.$reason\nexit 0\n`);
    await chmod(file('script'), 0o755);
    const flags = ['-1', '-d', '-cf', file('conf'), '-sf', file('script'), '-lf', file('leases'), '-pf', file('pid')];
    const stateless = options.stateless ? ['-S'] : [];
    const bound = family === 4 ? 'BOUND' : options.stateless ? 'RENEW6' : 'BOUND6';
    const watcher = `dhclient -${family} ${[...stateless, ...flags].join(' ')} ${place.device} 2>${file('log')} & pid=$!
      i=0; while [ $i -lt ${(options.seconds ?? 15) * 20} ] && kill -0 $pid 2>/dev/null && ! ls ${file('lease')}.${bound} >/dev/null 2>&1; do sleep 0.05; i=$((i+1)); done
      sleep 0.05; kill $pid 2>/dev/null; wait $pid; true`;
    await run('sh', ['-c', watcher], { netns: place.netns });
    return parseLease(await readFile(`${file('lease')}.${bound}`, 'utf8'));
  } catch (error) {
    if (error instanceof CommandFailed || !(error instanceof Error && 'code' in error && error.code === 'ENOENT'))
      throw error;
    return undefined;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function parseLease(text: string): Lease {
  const entries = text.split('\n').flatMap((line) => {
    const [, name, value] = /^new_([^=]+)=(.*)$/.exec(line) ?? [];
    return name === undefined || value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(entries);
}
