import { accessSync, constants, existsSync } from 'node:fs';
import { SetUpError } from './set-up-error.ts';

/** What set-up looks at to tell whether this machine can run the lab. */
export interface Machine {
  readonly platform: string;
  readonly uid: number;
  readonly hasApt: boolean;
  readonly hasTun: boolean;
}

/**
 * What a machine lacks that set-up cannot bring, as one line that says what to do; undefined when it lacks nothing.
 */
export function lackOf(machine: Machine): string | undefined {
  if (machine.platform !== 'linux') return `the lab needs Linux; here is ${machine.platform}. Run it in a Debian VM.`;
  if (!machine.hasApt) return 'the lab sets itself up with apt-get, which is not here. Run it on Debian 12 or 13.';
  if (machine.uid !== 0) return 'the lab makes network namespaces, which takes root. Run it with sudo.';
  if (!machine.hasTun) {
    return 'there is no /dev/net/tun. Load it with "modprobe tun", or give the container --device /dev/net/tun.';
  }
  return undefined;
}

/** @throws SetUpError when this machine cannot run the lab. */
export function checkRequirements(): void {
  const lack = lackOf({
    platform: process.platform,
    uid: process.getuid?.() ?? -1,
    hasApt: existsSync('/usr/bin/apt-get'),
    hasTun: canOpenTun(),
  });
  if (lack !== undefined) throw new SetUpError(lack);
}

function canOpenTun(): boolean {
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
