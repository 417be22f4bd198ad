import { run } from '#test/lab/topology/command.ts';

/**
 * The accelerator QEMU can use here. Whether `/dev/kvm` opens says little (a nested or emulated one may refuse a register
 * only when the first CPU is made), so QEMU makes a machine with it once and is asked to leave. The answer is kept.
 */
export function workingAccelerator(): Promise<'kvm' | 'tcg'> {
  known ??= kvmWorks().then((works) => (works ? 'kvm' : 'tcg'));
  return known;
}

let known: Promise<'kvm' | 'tcg'> | undefined;

async function kvmWorks(): Promise<boolean> {
  const machine = ['-M', 'q35', '-cpu', 'max', '-m', '16', '-nodefaults', '-display', 'none', '-S'];
  const input = '{"execute":"qmp_capabilities"}{"execute":"quit"}';
  try {
    await run('qemu-system-x86_64', [...machine, '-accel', 'kvm', '-qmp', 'stdio'], { input });
    return true;
  } catch {
    return false;
  }
}
