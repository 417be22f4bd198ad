import { KubeConfig } from '@kubernetes/client-node';

/**
 * How the API server is found: the kubeconfig given; else `$KUBECONFIG` or `~/.kube/config`; else the ServiceAccount of the pod
 * this runs in, whose token file is read again every minute, as it rotates. Throws with a sentence when a file cannot be read.
 */
export function loadCredentials(from: { readonly file?: string; readonly text?: string } = {}): KubeConfig {
  const config = new KubeConfig();
  if (from.text !== undefined) config.loadFromString(from.text);
  else if (from.file !== undefined) config.loadFromFile(from.file);
  else config.loadFromDefault();
  return config;
}
