import { stringify } from 'yaml';

/** A kubeconfig with one cluster and one user who has a bearer token. `ca` is PEM. */
export function kubeconfigText({ url, ca, token }: { url: string; ca: string; token: string }): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'hawser',
    clusters: [
      {
        name: 'hawser',
        cluster: { server: url, 'certificate-authority-data': Buffer.from(ca).toString('base64') },
      },
    ],
    users: [{ name: 'hawser', user: { token } }],
    contexts: [{ name: 'hawser', context: { cluster: 'hawser', user: 'hawser' } }],
  });
}
