import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { workingAccelerator } from '#test/lab/qemu/accelerator.ts';
import type { Place } from '#test/lab/topology/command.ts';
import { Daemon } from '#test/lab/topology/daemon.ts';

/** What iPXE is to do with what it was told: ask for a file whose name holds it. */
function scriptAt(tftpServer: string): string {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: iPXE fills these in
  const told = '${hostname}/${netmask}/${gateway}/${next-server}/${66:string}/${filename}';
  return `#!ipxe\nchain tftp://${tftpServer}/seen/${told}\n`;
}

/**
 * Boots a machine that has nothing but QEMU's PXE ROM on its NIC, with a TFTP server at the address it is told as next server. Gives
 * the name of the file that the ROM asks for in the end: `script.ipxe`, which is what it is to be told to boot, makes of it a list of
 * what it was told. Undefined when it has asked for nothing within a minute.
 */
export async function bootByNetwork(options: {
  /** Where the tap is, and where the next server's address is. */
  readonly place: Place;
  readonly tftpPlace: Place;
  readonly tftpServer: string;
  readonly folder: string;
  readonly tap: string;
  readonly mac: string;
}): Promise<string | undefined> {
  const { place, tftpPlace, tftpServer, folder, tap, mac } = options;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'script.ipxe'), scriptAt(tftpServer));
  const tftpFlags = ['--no-daemon', '--conf-file=/dev/null', '--port=0', '--user=root', '--log-facility=-'];
  await using tftp = new Daemon({
    ...tftpPlace,
    name: 'tftp',
    command: 'dnsmasq',
    args: [...tftpFlags, '--enable-tftp', `--tftp-root=${folder}`],
    logFile: join(folder, 'tftp.log'),
  });
  await tftp.start();
  const machine = ['-nodefaults', '-display', 'none', '-m', '128', '-accel', await workingAccelerator()];
  const netdev = ['-netdev', `tap,id=n,ifname=${tap},script=no,downscript=no,vnet_hdr=on`];
  const nic = ['-device', `virtio-net-pci,netdev=n,mac=${mac},bootindex=1`];
  await using qemu = new Daemon({
    ...place,
    name: 'PXE',
    command: 'qemu-system-x86_64',
    args: [...machine, ...netdev, ...nic],
    logFile: join(folder, 'qemu.log'),
  });
  await qemu.start();
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(100)) {
    const log = await readFile(tftp.logFile, 'utf8');
    const asked = /file \S*\/(seen\/\S+) not found/.exec(log)?.[1];
    if (asked !== undefined) return asked;
  }
  return undefined;
}
