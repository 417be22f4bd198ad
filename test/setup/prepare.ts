import { debianPackages, installDebianPackages } from './debian-packages.ts';
import { prepareOvn } from './ovn-root.ts';
import { checkRequirements } from './requirements.ts';

/**
 * Brings this machine to where a lab can run, doing only what is missing and saying what it does.
 *
 * @param options.ovn OVN version the lab will run, such as `25.03`; the machine's own when absent.
 * @throws SetUpError with one line that says what the user has to do.
 */
export async function prepare(options: { readonly ovn?: string; readonly log: (line: string) => void }): Promise<void> {
  checkRequirements();
  await installDebianPackages(Object.keys(debianPackages), options.log);
  if (options.ovn !== undefined) await prepareOvn(options.ovn, options.log);
}
