import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { apt, aptOutput, candidateVersions } from './apt.ts';
import { withFileLock } from './file-lock.ts';
import { SetUpError } from './set-up-error.ts';

/** What the lab and the tests run that comes from Debian, and what for. */
export const debianPackages: Readonly<Record<string, string>> = {
  'ovn-central': 'ovn-northd and the database schemas; brings ovn-nbctl, ovn-sbctl, ovn-trace',
  'ovn-host': 'ovn-controller',
  'openvswitch-switch': 'ovsdb-server, ovs-vswitchd, ovs-vsctl',
  'qemu-system-x86': 'the virtual machines',
  iproute2: 'namespaces, veths, taps and bridges',
  ethtool: 'checksum offload off on veths',
  fping: 'the observer, which pings every 10 ms',
  'iputils-ping': 'reachability in tests',
  tcpdump: 'captures',
  socat: 'the consoles of guests that are kept; relays between namespaces',
  'dnsmasq-base': 'DHCP and router advertisements for a guest that is tried without OVN; TFTP',
  'ipxe-qemu': 'the PXE ROM of the virtual machines, which boots by network',
  'isc-dhcp-client': 'dhclient, and below four more real clients that are told things',
  udhcpc: 'DHCPv4 as small guests have it',
  'dhcpcd-base': 'dhcpcd, over IPv4 and IPv6',
  'wide-dhcpv6-client': 'dhcp6c, which asks with IAID 0',
  ndisc6: 'rdisc6, which solicits routers',
  openssl: 'certificates for TLS',
  'python3-openvswitch': 'python-ovs, which benchmarks of ovsdb/ run beside ours',
  'etcd-server': 'etcd, below a real kube-apiserver',
  containerd: 'the container runtime of real nodes',
  runc: 'the containers themselves',
  'containernetworking-plugins': 'loopback, which containerd runs for every sandbox; what benchmarks run beside ours',
  conntrack: 'kubelet looks for it',
  iptables: "what portmap opens a pod's hostPort with",
  curl: 'in the image that the upstream suite runs its checks from',
  'util-linux': 'nsenter, unshare, flock',
};

/**
 * Installs what is missing of `packages`. Their services are not started: the lab runs its own instances.
 *
 * @throws SetUpError when a package cannot be had.
 */
export async function installDebianPackages(packages: readonly string[], log: (line: string) => void): Promise<void> {
  const missing = await missingPackages(packages);
  if (missing.length === 0) return;
  log(`setup: Debian packages ${missing.join(' ')}`);
  if ((await unknownPackages(missing)).length > 0) await apt('update');
  const unknown = await unknownPackages(missing);
  if (unknown.length > 0) {
    throw new SetUpError(
      `apt knows no package ${unknown.join(', ')}; enable Debian's "main" in /etc/apt and try again.`,
    );
  }
  const install = ['install', '--yes', '--no-install-recommends', ...missing];
  await withServicesDenied(async () => {
    try {
      await apt(...install);
    } catch {
      // The usual reason: the lists are older than the mirror, which no longer has the versions they name.
      await apt('update');
      await apt(...install);
    }
  });
}

async function unknownPackages(packages: readonly string[]): Promise<string[]> {
  const known = await candidateVersions(packages);
  return packages.filter((name) => !known.has(name));
}

async function missingPackages(packages: readonly string[]): Promise<string[]> {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: these are dpkg-query's own placeholders.
  const format = '${Package} ${db:Status-Status}\n';
  const list = await aptOutput('dpkg-query', ['--show', `--showformat=${format}`]);
  const installed = new Set(
    list.split('\n').flatMap((line) => (line.endsWith(' installed') ? [line.split(' ')[0]] : [])),
  );
  return packages.filter((name) => !installed.has(name));
}

const policy = '/usr/sbin/policy-rc.d';
const ourPolicy = '#!/bin/sh\n# Written by hawser while it installs packages; safe to remove.\nexit 101\n';

/** invoke-rc.d(8) asks this file before a package's scripts start a service; 101 forbids it. A policy of the user's stays. */
async function withServicesDenied(work: () => Promise<void>): Promise<void> {
  await withFileLock('/var/lib/dpkg', async () => {
    // One of ours is left when a run was killed here; it is to go this time.
    const ours = !existsSync(policy) || readFileSync(policy, 'utf8') === ourPolicy;
    if (ours) writeFileSync(policy, ourPolicy, { mode: 0o755 });
    try {
      await work();
    } finally {
      if (ours) rmSync(policy, { force: true });
    }
  });
}
