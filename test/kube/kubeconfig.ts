import { stringify } from 'yaml';

/** A kubeconfig with one cluster and one user who has a bearer token, or a file with one that rotates. `ca` is PEM. */
export function kubeconfigText({ url, ca, ...user }: Server & ({ token: string } | { tokenFile: string })): string {
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
    users: [{ name: 'hawser', user }],
    contexts: [{ name: 'hawser', context: { cluster: 'hawser', user: 'hawser' } }],
  });
}

interface Server {
  readonly url: string;
  readonly ca: string;
}
