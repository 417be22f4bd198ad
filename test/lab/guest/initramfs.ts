import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type CpioEntry, cpioArchive } from './cpio.ts';

/**
 * The guest's whole file system: `root/` beside this file, and from unpacked Debian packages busybox, dhclient, rdisc6 and
 * ndisc6 with the C library they need, and the kernel's virtio-net modules.
 */
export async function initramfs(unpacked: UnpackedPackages): Promise<Buffer> {
  const entries = new Map<string, CpioEntry>();
  await addTree(entries, join(import.meta.dirname, 'root'), '');
  await addFile(entries, join(unpacked.busybox, 'bin/busybox'), 'bin/busybox', 0o755);
  // #!/bin/sh of the clients' scripts, before and after init has installed the other applets.
  entries.set('bin/sh', { kind: 'symlink', target: 'busybox' });
  await addFile(entries, join(unpacked.dhclient, 'sbin/dhclient'), 'sbin/dhclient', 0o755);
  await addFile(entries, join(unpacked.dhclient, 'etc/dhcp/dhclient.conf'), 'etc/dhcp/dhclient.conf', 0o644);
  await addFile(entries, join(unpacked.ndisc6, 'bin/rdisc6'), 'sbin/rdisc6', 0o755);
  await addFile(entries, join(unpacked.ndisc6, 'usr/bin/ndisc6'), 'sbin/ndisc6', 0o755);
  for (const library of ['ld-linux-x86-64.so.2', 'libc.so.6']) {
    const from = join(unpacked.libc, 'lib/x86_64-linux-gnu', library);
    await addFile(entries, from, `lib/x86_64-linux-gnu/${library}`, 0o755);
  }
  entries.set('lib64/ld-linux-x86-64.so.2', { kind: 'symlink', target: '/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2' });
  const modules = join(unpacked.kernel, 'lib/modules');
  const [version] = await readdir(modules);
  if (version === undefined) throw new Error(`${modules} holds no kernel`);
  for (const path of moduleLoadOrder) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    await addFile(entries, join(modules, version, 'kernel', `${path}.ko`), `lib/modules/${name}.ko`, 0o644);
  }
  const order = moduleLoadOrder.map((path) => `${path.slice(path.lastIndexOf('/') + 1)}\n`).join('');
  entries.set('lib/modules/order', { kind: 'file', content: Buffer.from(order), mode: 0o644 });
  for (const directory of ['proc', 'sys', 'dev', 'run', 'tmp', 'var/lib/dhcp'])
    entries.set(directory, { kind: 'directory' });
  entries.set('dev/console', { kind: 'characterDevice', major: 5, minor: 1 });
  return cpioArchive(entries);
}

/** Folders into which these packages were unpacked (`dpkg -x`); none of them is installed. */
export interface UnpackedPackages {
  /** linux-image-<version>-cloud-amd64 */
  kernel: string;
  /** busybox-static */
  busybox: string;
  /** isc-dhcp-client */
  dhclient: string;
  /** ndisc6 */
  ndisc6: string;
  /** libc6 */
  libc: string;
}

/** Each needs the ones before it; there is neither modprobe data nor udev in the guest. */
const moduleLoadOrder = [
  'drivers/virtio/virtio_ring',
  'drivers/virtio/virtio',
  'drivers/virtio/virtio_pci_modern_dev',
  'drivers/virtio/virtio_pci_legacy_dev',
  'drivers/virtio/virtio_pci',
  'net/core/failover',
  'drivers/net/net_failover',
  'drivers/net/virtio_net',
];

async function addTree(entries: Map<string, CpioEntry>, from: string, to: string): Promise<void> {
  for (const item of await readdir(from, { withFileTypes: true })) {
    const name = to === '' ? item.name : `${to}/${item.name}`;
    if (item.isDirectory()) await addTree(entries, join(from, item.name), name);
    else
      await addFile(entries, join(from, item.name), name, (await isExecutable(join(from, item.name))) ? 0o755 : 0o644);
  }
}

async function addFile(entries: Map<string, CpioEntry>, from: string, to: string, mode: number): Promise<void> {
  entries.set(to, { kind: 'file', content: await readFile(from), mode });
}

/** The checkout's umask decides the other permission bits, so they must not get into the archive. */
async function isExecutable(path: string): Promise<boolean> {
  return ((await stat(path)).mode & 0o100) !== 0;
}
