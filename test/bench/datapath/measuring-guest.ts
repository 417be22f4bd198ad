import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CpioEntry, cpioArchive } from '#test/lab/guest/cpio.ts';
import { type GuestImage, prepareGuest } from '#test/lab/guest/guest.ts';
import { unpackedPackage } from '#test/lab/guest/unpacked-package.ts';
import { cachedFolder } from '#test/setup/cache.ts';

/** The lab's guest with qperf in it: a second archive behind its initramfs, which the kernel unpacks over the first. */
export async function prepareMeasuringGuest(log: (line: string) => void): Promise<GuestImage> {
  const image = await prepareGuest(log);
  const entries = new Map<string, CpioEntry>();
  for (const [name, files] of Object.entries(packages)) {
    const unpacked = await unpackedPackage(name);
    for (const [path, target] of Object.entries(files)) {
      entries.set(target, { kind: 'file', content: await readFile(join(unpacked, path)), mode: 0o755 });
    }
  }
  const initrd = Buffer.concat([await readFile(image.initrd), cpioArchive(entries)]);
  const hash = createHash('sha256').update(initrd).digest('hex').slice(0, 16);
  const folder = await cachedFolder(`measuring-guest/${hash}`, (unfinished) =>
    writeFile(join(unfinished, 'initramfs.cpio'), initrd),
  );
  return { ...image, initrd: join(folder, 'initramfs.cpio') };
}

const libraries = 'lib/x86_64-linux-gnu';

/** qperf and what it is linked with, beyond the C library that the guest has: package → file in it → file in the guest. */
const packages: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  qperf: { 'usr/bin/qperf': 'bin/qperf' },
  libibverbs1: { [`usr/${libraries}/libibverbs.so.1`]: `${libraries}/libibverbs.so.1` },
  librdmacm1: { [`usr/${libraries}/librdmacm.so.1`]: `${libraries}/librdmacm.so.1` },
  'libnl-3-200': { [`${libraries}/libnl-3.so.200`]: `${libraries}/libnl-3.so.200` },
  'libnl-route-3-200': { [`usr/${libraries}/libnl-route-3.so.200`]: `${libraries}/libnl-route-3.so.200` },
};
