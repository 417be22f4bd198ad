import { basename } from 'node:path';
import { aptOutput, downloadPackage } from '#test/setup/apt.ts';
import { cachedFolder } from '#test/setup/cache.ts';

/**
 * The folder into which a Debian package was unpacked, in the version apt would install. It is not installed: nothing of it
 * runs and the system does not know of it.
 * @throws SetUpError when it cannot be had
 */
export async function unpackedPackage(name: string): Promise<string> {
  const archive = await downloadPackage(name);
  return cachedFolder(`unpacked/${basename(archive, '.deb')}`, async (folder) => {
    await aptOutput('dpkg-deb', ['--extract', archive, folder]);
  });
}

/** The package with the kernel itself, which `linux-image-cloud-amd64` only names as the current one. */
export async function cloudKernelPackage(): Promise<string> {
  const depends = await aptOutput('dpkg-deb', ['--field', await downloadPackage('linux-image-cloud-amd64'), 'Depends']);
  const name = /linux-image-\S+-cloud-amd64/.exec(depends)?.[0];
  if (name === undefined) throw new Error(`linux-image-cloud-amd64 depends on no kernel but on ${depends}`);
  return name;
}
