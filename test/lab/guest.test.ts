import { expect, test } from 'vitest';
import { prepareGuest } from '#test/lab/guest/guest.ts';
import { askGuest } from '#test/lab/guest/report-port.ts';
import { reserved, startBridgedHosts } from '#test/lab/qemu/bridged-hosts.ts';
import { startMachine } from '#test/lab/qemu/machine.ts';

test('a guest takes everything from DHCPv4, DHCPv6 and router advertisements, and says so', async () => {
  const image = await prepareGuest(() => {});
  await using hosts = await startBridgedHosts(['a']);
  const machine = await startMachine({
    name: 'guest',
    folder: `${hosts.folder}/m`,
    place: { netns: hosts.netnsOf('a'), env: hosts.env },
    image,
    nics: [{ tap: 'tap0', mac: reserved.mac }],
  });

  const report = await askGuest(machine.reportSocket, {
    until: ({ ipv4, ipv6 }) => ipv4.length > 0 && ipv6.length > 0,
  });

  const gatewayMac = hosts.routerMac;
  expect(report).toMatchObject({
    mac: reserved.mac,
    hostName: reserved.hostName,
    mtu: reserved.mtu,
    mtu6: reserved.mtu,
    ipv4: [`${reserved.ipv4}/24`],
    ipv6: [`${reserved.ipv6}/128`],
    linkLocal: 'fe80::48:57ff:fe00:1/64',
    gateway: {
      ipv4: { ip: reserved.gateway, mac: gatewayMac, answeredMac: gatewayMac },
      ipv6: { ip: hosts.routerLinkLocal, mac: gatewayMac, answeredMac: gatewayMac },
    },
    dns: [reserved.gateway, 'fd00:9::1'],
    search: ['a.example', 'b.example', 'c.example'],
    ntp: [reserved.gateway],
    routerAdvertisement: { 'Stateful address conf.': 'Yes', from: hosts.routerLinkLocal },
  });
  expect(report.routes.ipv4).toEqual([
    `default via ${reserved.gateway} dev eth0`,
    '10.8.0.0/16 via 10.9.0.7 dev eth0',
    `10.9.0.0/24 dev eth0 scope link src ${reserved.ipv4}`,
  ]);
  expect(report.lease.dhcpv4).toMatchObject({ serverid: reserved.gateway, lease: '3600' });
  expect(report.lease.dhcpv6).toMatchObject({ reason: 'BOUND6', new_ip6_address: reserved.ipv6 });
});
