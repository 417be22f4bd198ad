import { chmod, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { unpackedPackage } from '#test/lab/guest/unpacked-package.ts';
import { run } from '#test/lab/topology/command.ts';

/** The root of an image in the making. */
export interface RootFolder {
  /** A shell and all the small programs, in one. */
  busybox(): Promise<void>;
  /** A file of this machine at `target`, executable; what it is linked with comes along. */
  program(source: string, target?: string): Promise<void>;
  /** A script of this text. */
  script(target: string, text: string): Promise<void>;
  /** All of it as a tar file; the folder is not needed any more then. */
  pack(file: string): Promise<void>;
}

/** @param folder empty. */
export async function rootFolder(folder: string): Promise<RootFolder> {
  for (const name of ['bin', 'etc', 'tmp', 'root', 'usr/bin', 'usr/sbin', 'usr/local/bin', 'sbin']) {
    await mkdir(join(folder, name), { recursive: true });
  }
  await chmod(join(folder, 'tmp'), 0o1777);
  // Container runtimes name a sandbox's namespace by the old path.
  await mkdir(join(folder, 'var'));
  await symlink('/run', join(folder, 'var/run'));
  await writeFile(join(folder, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n');
  await writeFile(join(folder, 'etc/group'), 'root:x:0:\n');
  await writeFile(join(folder, 'etc/nsswitch.conf'), 'hosts: files dns\n');
  const add = async (source: string, target: string) => {
    const path = join(folder, target);
    await mkdir(dirname(path), { recursive: true });
    await copyFile(source, path);
    await chmod(path, 0o755);
  };
  return {
    busybox: async () => {
      const program = join(await unpackedPackage('busybox-static'), 'bin/busybox');
      await add(program, 'bin/busybox');
      for (const applet of (await run(program, ['--list'])).trim().split('\n')) {
        if (applet !== 'busybox') await symlink('busybox', join(folder, 'bin', applet));
      }
    },
    program: async (source, target = source) => {
      await add(source, target);
      for (const library of await librariesOf(source)) await add(library, library);
    },
    script: async (target, text) => {
      await mkdir(dirname(join(folder, target)), { recursive: true });
      await writeFile(join(folder, target), text, { mode: 0o755 });
    },
    pack: async (file) => {
      const asRoot = ['--owner=0', '--group=0', '--sort=name', '--mtime=@0'];
      await run('tar', ['--create', `--file=${file}`, ...asRoot, `--directory=${folder}`, '.']);
    },
  };
}

/** Paths of the dynamic loader and the libraries, as ldd(1) finds them; none for a static program. */
async function librariesOf(program: string): Promise<readonly string[]> {
  const text = await run('sh', ['-c', 'ldd "$1" || true', 'sh', program]);
  return [...text.matchAll(/(?:=> |^\t)(\/\S+) \(0x/gm)].map(([, path = '']) => path);
}
