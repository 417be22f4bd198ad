import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import manifest from '../../../package.json' with { type: 'json' };
import { type BenchedServer, benchGuests, benchIpv4, benchIpv6, benchMac, type Rig } from './rig.ts';

/** A server with the bench's 10,000 static bindings. */
export type StartServer = (rig: Rig, family: 4 | 6) => Promise<BenchedServer>;

const indexes = (count = benchGuests): number[] => Array.from({ length: count }, (_, i) => i);

export const ours: StartServer = (rig, family) => oursWith(rig, family, benchGuests);

/** The program as the image has it; the path of one file. */
export async function bundled(folder: string): Promise<string> {
  const entry = fileURLToPath(new URL('../../../dhcp/cli/main.ts', import.meta.url));
  const bundle = join(folder, 'dhcp.mjs');
  await build({
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: bundle,
    logLevel: 'error',
  });
  return bundle;
}

/** Node's flags in `npm run dhcp`. */
export const oursFlags: readonly string[] =
  /node (--.*) dhcp\/cli\/main\.ts/.exec(manifest.scripts.dhcp)?.[1]?.split(' ') ?? [];

export async function oursWith(rig: Rig, family: 4 | 6, guests: number): Promise<BenchedServer> {
  const bundle = await bundled(rig.folder);
  const line = (i: number): string =>
    JSON.stringify({
      mac: benchMac(i),
      addresses: [guests > 60_000 ? `10.${100 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}` : benchIpv4(i), benchIpv6(i)],
    });
  await writeFile(
    join(rig.folder, 'guests.jsonl'),
    indexes(guests)
      .map((i) => `${line(i)}\n`)
      .join(''),
  );
  const segment = {
    name: 'bench',
    interface: 'sv0',
    transport: 'sockets',
    subnets: [guests > 60_000 ? '10.0.0.0/8' : '10.77.0.0/16', 'fd77::/64'],
    gateways: ['10.77.0.1'],
    mtu: 1400,
    serverId: '10.77.0.1',
    relays: ['10.77.0.2'],
    trustDuid: true,
    guest: { dns: { servers: ['10.0.0.53', '10.0.0.54', 'fd00::53'] }, domain: 'example.com' },
    guestsFile: 'guests.jsonl',
  };
  const config = join(rig.folder, 'dhcp.json');
  await writeFile(config, JSON.stringify({ segments: [segment] }));
  return rig.start(process.execPath, [...oursFlags, bundle, 'serve', '--config', config], family);
}

export const kea: StartServer = async (rig, family) => {
  const memfile = { type: 'memfile', persist: true, name: join(rig.folder, `leases${family}.csv`), 'lfc-interval': 0 };
  const loggers = [{ name: `kea-dhcp${family}`, severity: 'ERROR', output_options: [{ output: 'stderr' }] }];
  const option = (name: string, data: string) => ({ name, data });
  const v4 = {
    Dhcp4: {
      'interfaces-config': { interfaces: ['sv0'] },
      'lease-database': memfile,
      'host-reservation-identifiers': ['hw-address'],
      'valid-lifetime': 3600,
      loggers,
      'option-data': [
        option('routers', '10.77.0.1'),
        option('domain-name-servers', '10.0.0.53, 10.0.0.54'),
        option('domain-name', 'example.com'),
        option('interface-mtu', '1400'),
      ],
      subnet4: [
        {
          subnet: '10.77.0.0/16',
          reservations: indexes().map((i) => ({ 'hw-address': benchMac(i), 'ip-address': benchIpv4(i) })),
        },
      ],
    },
  };
  const v6 = {
    Dhcp6: {
      'interfaces-config': { interfaces: ['sv0'] },
      'lease-database': memfile,
      'data-directory': rig.folder,
      'mac-sources': ['duid'],
      'host-reservation-identifiers': ['hw-address'],
      'valid-lifetime': 3600,
      'preferred-lifetime': 3600,
      loggers,
      'option-data': [option('dns-servers', 'fd00::53')],
      subnet6: [
        {
          subnet: 'fd77::/64',
          interface: 'sv0',
          reservations: indexes().map((i) => ({ 'hw-address': benchMac(i), 'ip-addresses': [benchIpv6(i)] })),
        },
      ],
    },
  };
  const config = join(rig.folder, `kea${family}.json`);
  await writeFile(config, JSON.stringify(family === 4 ? v4 : v6));
  return rig.start(
    'env',
    [`KEA_PIDFILE_DIR=${rig.folder}`, `KEA_LOCKFILE_DIR=${rig.folder}`, `kea-dhcp${family}`, '-c', config],
    family,
  );
};

export const dhcpd: StartServer = async (rig, family) => {
  const head = 'authoritative; ping-check false; default-lease-time 3600; max-lease-time 3600; log-facility local7;\n';
  const v4 = `${head}option domain-name-servers 10.0.0.53, 10.0.0.54; option domain-name "example.com"; option interface-mtu 1400;
subnet 10.77.0.0 netmask 255.255.0.0 { option routers 10.77.0.1; }
${indexes()
  .map((i) => `host h${i} { hardware ethernet ${benchMac(i)}; fixed-address ${benchIpv4(i)}; }`)
  .join('\n')}\n`;
  const duid = (i: number): string => `00:03:00:01:${benchMac(i)}`;
  const v6 = `${head}option dhcp6.name-servers fd00::53;
subnet6 fd77::/64 { }
${indexes()
  .map((i) => `host h${i} { host-identifier option dhcp6.client-id ${duid(i)}; fixed-address6 ${benchIpv6(i)}; }`)
  .join('\n')}\n`;
  const config = join(rig.folder, `dhcpd${family}.conf`);
  const leases = join(rig.folder, `dhcpd${family}.leases`);
  await writeFile(config, family === 4 ? v4 : v6);
  await writeFile(leases, '');
  // By its path: npm puts the binaries of its packages first, and the package `dhcp` brings a `dhcpd` of its own.
  return rig.start('/usr/sbin/dhcpd', [`-${family}`, '-d', '-cf', config, '-lf', leases, '--no-pid', 'sv0'], family);
};

export const dnsmasq: StartServer = async (rig, family) => {
  const hosts = join(rig.folder, 'hosts');
  await writeFile(
    hosts,
    indexes()
      // It learns no Ethernet address from a DUID.
      .map((i) => `${benchMac(i)},${benchIpv4(i)}\nid:00:03:00:01:${benchMac(i)},[${benchIpv6(i)}]\n`)
      .join(''),
  );
  const flags = [
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--port=0',
    '--no-ping',
    '--dhcp-lease-max=100000',
    '--dhcp-authoritative',
  ];
  const ranges = [
    '--dhcp-range=10.77.0.0,static,255.255.0.0,1h',
    '--dhcp-range=fd77::,static,64,1h',
    '--dhcp-option=3,10.77.0.1',
  ];
  const leases = join(rig.folder, 'dnsmasq.leases');
  return rig.start(
    'dnsmasq',
    [
      ...flags,
      ...ranges,
      '--interface=sv0',
      '--bind-interfaces',
      '--user=root',
      `--dhcp-leasefile=${leases}`,
      `--dhcp-hostsfile=${hosts}`,
      '--log-facility=/dev/null',
      '--pid-file=',
    ],
    family,
  );
};
