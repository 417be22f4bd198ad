import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { cleanUpDeadLabs, down } from '#test/lab/topology/clean-up.ts';
import { run } from '#test/lab/topology/command.ts';
import { Daemon } from '#test/lab/topology/daemon.ts';
import { claimFolder, labMark, namespacePrefix, withLabsLock } from '#test/lab/topology/lab-folder.ts';
import { Undertaker } from '#test/lab/topology/undertaker.ts';

/**
 * A network to try a guest on without OVN: hosts that are network namespaces with a tap in a bridge, joined by the bridge
 * of a router, where dnsmasq serves DHCPv4, DHCPv6 and router advertisements unless told not to. All of it is gone when disposed of.
 */
export interface BridgedHosts extends AsyncDisposable {
  /** Short, and gone with the hosts. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Network namespace of the router. */
  readonly router: string;
  readonly routerMac: string;
  readonly routerLinkLocal: string;
  /** Network namespace of a host; its tap is `tap0`. */
  netnsOf(host: string): string;
}

/** What dnsmasq tells the guest with the MAC address `reservedMac`. */
export const reserved = {
  mac: '02:48:57:00:00:01',
  ipv4: '10.9.0.55',
  ipv6: 'fd00:9::55',
  hostName: 'db',
  gateway: '10.9.0.1',
  mtu: 1400,
};

/** @param options `isSilent`: no dnsmasq, so that whoever asks is answered by the caller's own server or by nobody. */
export async function startBridgedHosts(
  hosts: readonly string[],
  options: { readonly isSilent?: boolean } = {},
): Promise<BridgedHosts> {
  const id = randomBytes(4).toString('hex');
  await cleanUpDeadLabs();
  const folder = await withLabsLock(() => claimFolder(id));
  const undertaker = new Undertaker();
  const netnsOf = (name: string): string => namespacePrefix(id) + name;
  const router = netnsOf('router');
  const tearDown = async (): Promise<void> => {
    await down(id);
    await undertaker.dismiss();
  };
  try {
    await run('ip', ['-batch', '-'], {
      input: ['router', ...hosts].map((name) => `netns add ${netnsOf(name)}\n`).join(''),
    });
    await run('ip', ['-batch', '-'], {
      netns: router,
      input: [
        'link set lo up',
        // Without it the bridge would be silent for IPv6 until duplicate address detection is over.
        'link add br0 type bridge forward_delay 0',
        'link set br0 up',
        'addr add 10.9.0.1/24 dev br0',
        'addr add fd00:9::1/64 dev br0 nodad',
        ...hosts.flatMap((host) => [
          `link add to-${host} type veth peer name uplink netns ${netnsOf(host)}`,
          `link set to-${host} master br0 up`,
        ]),
      ].join('\n'),
    });
    // Or dnsmasq would announce itself as no router.
    await run('sysctl', ['-qw', 'net.ipv6.conf.all.forwarding=1'], { netns: router });
    for (const host of hosts) {
      await run('ip', ['-batch', '-'], {
        netns: netnsOf(host),
        input: [
          'link add br0 type bridge forward_delay 0',
          'link set br0 up',
          'link set uplink master br0 up',
          'tuntap add tap0 mode tap vnet_hdr',
          'link set tap0 master br0 up',
        ].join('\n'),
      });
    }
    const env = labMark(id);
    const dnsmasq = new Daemon({
      name: 'dnsmasq',
      command: 'dnsmasq',
      args: dnsmasqArguments(folder),
      netns: router,
      env,
      logFile: join(folder, 'dnsmasq.log'),
    });
    if (options.isSilent !== true) await dnsmasq.start();
    const shown = await run('ip', ['addr', 'show', 'br0'], { netns: router });
    return {
      folder,
      env,
      router,
      routerMac: /ether (\S+)/.exec(shown)?.[1] ?? '',
      routerLinkLocal: /inet6 (fe80::[^/]+)/.exec(shown)?.[1] ?? '',
      netnsOf,
      [Symbol.asyncDispose]: tearDown,
    };
  } catch (error) {
    await tearDown();
    throw error;
  }
}

function dnsmasqArguments(folder: string): string[] {
  const { mac, ipv4, ipv6, hostName, gateway, mtu } = reserved;
  return [
    ...['--no-daemon', '--conf-file=/dev/null', '--port=0', '--interface=br0', '--bind-interfaces', '--user=root'],
    `--dhcp-leasefile=${join(folder, 'leases')}`,
    ...['--dhcp-range=10.9.0.0,static,255.255.255.0,1h', '--dhcp-range=fd00:9::,static,64,1h'],
    `--dhcp-host=${mac},${ipv4},[${ipv6}],${hostName}`,
    ...['--enable-ra', `--ra-param=br0,mtu:${mtu},10,600`],
    `--dhcp-option=option:mtu,${mtu}`,
    `--dhcp-option=option:dns-server,${gateway}`,
    `--dhcp-option=option:ntp-server,${gateway}`,
    '--dhcp-option=option:domain-search,a.example,b.example',
    `--dhcp-option=option:classless-static-route,0.0.0.0/0,${gateway},10.8.0.0/16,10.9.0.7`,
    '--dhcp-option=option6:dns-server,[fd00:9::1]',
    '--dhcp-option=option6:domain-search,a.example,c.example',
  ];
}
