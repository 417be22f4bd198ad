import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { KubeConfig, loadYaml } from '@kubernetes/client-node';
import { Fields } from './objects/fields.ts';

/**
 * How the API server is found: the kubeconfig given; else `$KUBECONFIG` or `~/.kube/config`; else the ServiceAccount of the pod
 * this runs in. Token files are read again every minute, as they rotate; certificate files at every request.
 *
 * @throws Error when a file cannot be read, `MalformedField` when it is not a kubeconfig.
 */
export function loadCredentials(from: { readonly file?: string; readonly text?: string } = {}): KubeConfig {
  const config = new KubeConfig();
  if (from.text !== undefined) {
    config.loadFromString(from.text);
    followTokenFiles(config, from.text, process.cwd());
    return config;
  }
  if (from.file === undefined) config.loadFromDefault();
  else config.loadFromFile(from.file);
  for (const file of from.file === undefined ? defaultFiles() : [from.file]) {
    followTokenFiles(config, readFileSync(file, 'utf8'), dirname(file));
  }
  return config;
}

/** client-node passes over a user's `tokenFile`; its provider of that name is what reads one, again and again. */
function followTokenFiles(config: KubeConfig, text: string, folder: string): void {
  const files = new Map<string, string>();
  for (const user of new Fields(loadYaml<unknown>(text), 'kubeconfig').objects('users')) {
    const tokenFile = user.object('user')?.string('tokenFile');
    if (tokenFile !== undefined) files.set(user.needString('name'), resolve(folder, tokenFile));
  }
  config.users = config.users.map((user) => {
    const tokenFile = files.get(user.name);
    return tokenFile === undefined ? user : { ...user, authProvider: { name: 'tokenFile', config: { tokenFile } } };
  });
}

function defaultFiles(): string[] {
  const listed = process.env.KUBECONFIG?.split(delimiter).filter(Boolean) ?? [];
  return listed.length > 0 ? listed : [join(homedir(), '.kube/config')].filter((file) => existsSync(file));
}
