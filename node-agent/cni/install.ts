import { chmod, copyFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { putWhole } from '../put-whole.ts';

/** The type of our plugin in a network configuration, and so the name of its executable (CNI specification, section 2). */
export const pluginType = 'hawser';

export interface PluginFiles {
  /** The plugin that `npm run build` made: one script. */
  readonly plugin: string;
  /** Where runtimes look for plugins, such as `/opt/cni/bin`. */
  readonly binFolder: string;
  /**
   * Path of the Node.js that runs the plugin. The agent puts its own there, and the plugin's first line names it: a host need have
   * none, and a container runtime's PATH does not matter. Absent: `node` of that PATH.
   */
  readonly interpreter?: string | undefined;
}

/**
 * Puts the plugin where the runtime finds it, and what runs it beside. A runtime may be executing the old ones: they are replaced
 * whole, the interpreter first, and only when they differ.
 * @param ownNode the Node.js to copy: this process's.
 */
export async function installPlugin(
  { plugin, binFolder, interpreter }: PluginFiles,
  ownNode: string = process.execPath,
): Promise<void> {
  if (interpreter !== undefined && !(await isCopy(ownNode, interpreter))) {
    await putWhole(interpreter, (path) => executable(path, () => copyFile(ownNode, path)));
  }
  const text = await readFile(plugin, 'utf8');
  const script = interpreter === undefined ? text : text.replace(/^#!.*/, `#!${interpreter}`);
  const target = join(binFolder, pluginType);
  if (script === (await readFile(target, 'utf8').catch(() => undefined))) return;
  await putWhole(target, (path) => executable(path, () => writeFile(path, script)));
}

async function executable(path: string, write: () => Promise<void>): Promise<void> {
  await write();
  await chmod(path, 0o755);
}

/** By size and by when it was made: nobody reads 120 MB at every start of an agent. */
async function isCopy(source: string, target: string): Promise<boolean> {
  const [from, to] = await Promise.all([stat(source), stat(target).catch(() => undefined)]);
  return to !== undefined && from.size === to.size && to.mtimeMs >= from.mtimeMs;
}
