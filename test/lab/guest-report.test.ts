import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cpioArchive } from '#test/lab/guest/cpio.ts';
import { parseGuestReport } from '#test/lab/guest/report.ts';
import { unpackedPackage } from '#test/lab/guest/unpacked-package.ts';

test('a guest without any lease reports no addresses, gateways or servers', () => {
  const line = JSON.stringify({
    nonce: 'n',
    bootId: 'ef530697-00e0-4e80-a146-917e52ad3fab\n',
    uptime: '2.14 0.47\n',
    hostName: 'localhost\n',
    addresses:
      '2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel qlen 1000\n    link/ether 02:48:57:00:00:01 brd ff:ff:ff:ff:ff:ff\n    inet6 fe80::48:57ff:fe00:1/64 scope link tentative \n       valid_lft forever preferred_lft forever\n',
    mtu6: '1500\n',
    routes6: 'fe80::/64 dev eth0  metric 256 \nmulticast ff00::/8 dev eth0  metric 256 \n',
    udhcpcLog: 'udhcpc: broadcasting discover\n',
  });
  expect(parseGuestReport(line)).toEqual({
    bootId: 'ef530697-00e0-4e80-a146-917e52ad3fab',
    uptimeSeconds: 2.14,
    hostName: 'localhost',
    mac: '02:48:57:00:00:01',
    mtu: 1500,
    mtu6: 1500,
    ipv4: [],
    ipv6: [],
    linkLocal: undefined,
    gateway: { ipv4: undefined, ipv6: undefined },
    routes: { ipv4: [], ipv6: ['fe80::/64 dev eth0 metric 256'] },
    dns: [],
    search: [],
    ntp: [],
    lease: { dhcpv4: {}, dhcpv6: {} },
    routerAdvertisement: {},
    log: { udhcpc: 'udhcpc: broadcasting discover\n', dhclient6: '', rdisc6: '' },
  });
});

test('a gateway that the neighbour table does not resolve has no MAC, whatever answers on the wire', () => {
  const report = parseGuestReport(
    JSON.stringify({
      routes4: 'default via 10.9.0.1 dev eth0 \n',
      neighbours4: '10.9.0.1  used 0/0/0 probes 6 FAILED\n10.9.0.10 lladdr 02:00:00:00:00:10 STALE\n',
      arping: 'Unicast reply from 10.9.0.1 [16:96:A9:62:42:66] 0.287ms\n',
    }),
  );
  expect(report.gateway.ipv4).toEqual({ ip: '10.9.0.1', mac: undefined, answeredMac: '16:96:a9:62:42:66' });
});

test('a cpio archive holds what was put into it, with parent folders and fixed times and owners', async () => {
  const archive = cpioArchive(
    new Map([
      ['sbin/init', { kind: 'file', content: Buffer.from('#!/bin/sh\n'), mode: 0o755 }],
      ['bin/sh', { kind: 'symlink', target: 'busybox' }],
      ['dev/console', { kind: 'characterDevice', major: 5, minor: 1 }],
      ['tmp', { kind: 'directory' }],
    ]),
  );
  const busybox = join(await unpackedPackage('busybox-static'), 'bin/busybox');
  const listed = execFileSync(busybox, ['cpio', '-tv'], {
    input: archive,
    env: { TZ: 'UTC' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  expect(listed.toString().trimEnd().split('\n')).toEqual([
    'drwxr-xr-x 0/0         0 1970-01-01 00:00:00 bin',
    'lrwxr-xr-x 0/0         0 1970-01-01 00:00:00 bin/sh -> busybox',
    'drwxr-xr-x 0/0         0 1970-01-01 00:00:00 dev',
    'crw------- 0/0         0 1970-01-01 00:00:00 dev/console',
    'drwxr-xr-x 0/0         0 1970-01-01 00:00:00 sbin',
    '-rwxr-xr-x 0/0        10 1970-01-01 00:00:00 sbin/init',
    'drwxr-xr-x 0/0         0 1970-01-01 00:00:00 tmp',
  ]);
});
