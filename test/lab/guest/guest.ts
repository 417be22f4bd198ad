import { createHash } from 'node:crypto';
import { copyFile, readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cachedFolder } from '#test/setup/cache.ts';
import { initramfs } from './initramfs.ts';
import { cloudKernelPackage, unpackedPackage } from './unpacked-package.ts';

/** What QEMU boots: paths of a kernel and of an uncompressed initramfs, and the kernel's command line. */
export interface GuestImage {
  readonly kernel: string;
  readonly initrd: string;
  readonly commandLine: string;
}

/**
 * Makes the guest: Debian's cloud kernel and an initramfs of real clients (busybox udhcpc, ISC dhclient for DHCPv6,
 * rdisc6) that configure nothing but what they are given. It is cached by its content; with nothing to do this takes a
 * second or two, which apt spends telling versions.
 *
 * @throws SetUpError when a Debian package cannot be had
 */
export async function prepareGuest(log: (line: string) => void): Promise<GuestImage> {
  const [kernel, busybox, dhclient, ndisc6, libc] = await Promise.all([
    cloudKernelPackage().then(unpackedPackage),
    unpackedPackage('busybox-static'),
    unpackedPackage('isc-dhcp-client'),
    unpackedPackage('ndisc6'),
    unpackedPackage('libc6'),
  ]);
  // Uncompressed: without KVM, unpacking takes the guest longer than QEMU needs to load the larger file.
  const archive = await initramfs({ kernel, busybox, dhclient, ndisc6, libc });
  const hash = createHash('sha256').update(basename(kernel)).update(archive).digest('hex').slice(0, 16);
  const folder = await cachedFolder(`guest/${hash}`, async (unfinished) => {
    log(`guest: ${basename(kernel)} with an initramfs of ${(archive.length / 2 ** 20).toFixed(1)} MiB`);
    const boot = join(kernel, 'boot');
    const image = (await readdir(boot)).find((file) => file.startsWith('vmlinuz-'));
    if (image === undefined) throw new Error(`${boot} holds no vmlinuz`);
    await copyFile(join(boot, image), join(unfinished, 'vmlinuz'));
    await writeFile(join(unfinished, 'initramfs.cpio'), archive);
  });
  return {
    kernel: join(folder, 'vmlinuz'),
    initrd: join(folder, 'initramfs.cpio'),
    // Without KVM all code is translated anew after a migration; what guards against side channels would be most of it.
    commandLine: 'console=ttyS0 quiet panic=-1 mitigations=off no5lvl nowatchdog',
  };
}
