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
option dhcp6.ntp code 56 = string;
option dhcp6.portal code 103 = text;
`;
const wanted4 = `subnet-mask, broadcast-address, routers, domain-name, domain-name-servers, host-name, interface-mtu,
 domain-search, ntp-servers, rfc3442, ms-routes, captive-portal, v6-only, tftp-server-name, bootfile-name, tftp-addresses, path-prefix, wpad,
 capwap, private-224, vendor-encapsulated-options, default-tcp-ttl, netbios-node-type`;
const wanted6 =
  'dhcp6.name-servers, dhcp6.domain-search, dhcp6.ntp, dhcp6.bootfile-url, dhcp6.portal, dhcp6.sntp-servers';

/**
 * Runs dhclient once on `device` and gives the lease it got, or undefined when nobody answered within `seconds`.
 * `-6` asks for an address; `stateless` only for configuration.
 */
export async function dhclient(
  place: ClientPlace,
  family: 4 | 6,
  options: { readonly seconds?: number; readonly stateless?: boolean } = {},
): Promise<Lease | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'hawser-dhclient-'));
  const file = (name: string): string => join(folder, name);
  try {
    await writeFile(
      file('conf'),
      `${definitions}\nalso request ${family === 4 ? wanted4 : wanted6};\ntimeout ${options.seconds ?? 15};\n`,
    );
    await writeFile(file('script'), `#!/bin/sh\nenv | grep '^new_\\|^reason=' > ${file('lease')}.$reason\nexit 0\n`);
    await chmod(file('script'), 0o755);
    const flags = ['-1', '-d', '-cf', file('conf'), '-sf', file('script'), '-lf', file('leases'), '-pf', file('pid')];
    const stateless = options.stateless ? ['-S'] : [];
    const bound = family === 4 ? 'BOUND' : 'BOUND6';
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
