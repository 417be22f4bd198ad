import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { putWhole } from '../put-whole.ts';

/** The type of our plugin in a network configuration, and so the name of its executable (CNI specification, section 2). */
export const pluginType = 'hawser';

export interface PluginFiles {
  /** The plugin that `npm run build` made: one script. */
  readonly plugin: string;
  /** Where runtimes look for plugins, such as `/opt/cni/bin`. */
  readonly binFolder: string;
}

/** Puts the plugin where the runtime finds it. A runtime may be executing the old one: it is replaced whole, and only when it differs. */
export async function installPlugin({ plugin, binFolder }: PluginFiles): Promise<void> {
  const script = await readFile(plugin, 'utf8');
  const target = join(binFolder, pluginType);
  if (script === (await readFile(target, 'utf8').catch(() => undefined))) return;
  await putWhole(target, async (path) => {
    await writeFile(path, script);
    await chmod(path, 0o755);
  });
}
