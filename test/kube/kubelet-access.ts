import { join } from 'node:path';
import { run } from '#test/lab/topology/command.ts';

/** How the API server is known to kubelets when it asks them for logs, exec and port-forward. PEM files. */
export interface KubeletAccess {
  /** For a kubelet's `authentication.x509.clientCAFile`. */
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** Makes an authority that signs one certificate, as a cluster's installer does. */
export async function makeKubeletAccess(folder: string): Promise<KubeletAccess> {
  const file = (name: string): string => join(folder, name);
  const [authority, authorityKey] = [file('kubelet-clients-ca.crt'), file('kubelet-clients-ca.key')];
  const [certificate, key, request] = [
    file('kubelet-client.crt'),
    file('kubelet-client.key'),
    file('kubelet-client.csr'),
  ];
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await run('openssl', [
    ...['req', '-x509', ...newKey, '-days', '365', '-subj', '/CN=kubelet-clients'],
    ...['-keyout', authorityKey, '-out', authority],
  ]);
  await run('openssl', [
    ...['req', ...newKey, '-subj', '/O=system:masters/CN=kube-apiserver', '-keyout', key, '-out', request],
  ]);
  await run('openssl', [
    ...['x509', '-req', '-in', request, '-CA', authority, '-CAkey', authorityKey, '-CAcreateserial'],
    ...['-days', '365', '-out', certificate],
  ]);
  return { authority, certificate, key };
}
