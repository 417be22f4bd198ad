import type { ServiceAccount } from './rotating-token.ts';

export const kubeletAccount: ServiceAccount = { namespace: 'kube-system', name: 'lab-kubelet' };
export const kubeVirtAccount: ServiceAccount = { namespace: 'kubevirt', name: 'lab-kubevirt' };

/** What those who play a part in the lab may do: as much of the rights of the real ones as they use. */
export const playersRbac = `
${serviceAccount(kubeletAccount)}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: lab-kubelet }
rules:
  - { apiGroups: [''], resources: [nodes], verbs: [get, create, patch] }
  - { apiGroups: [''], resources: [nodes/status], verbs: [patch] }
  - { apiGroups: [''], resources: [pods], verbs: [get, list, watch, delete] }
  - { apiGroups: [''], resources: [pods/status], verbs: [update] }
  - { apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, create, update, patch] }
---
${clusterRoleBinding(kubeletAccount)}
---
apiVersion: v1
kind: Namespace
metadata: { name: ${kubeVirtAccount.namespace} }
---
${serviceAccount(kubeVirtAccount)}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: lab-kubevirt }
rules:
  - { apiGroups: [kubevirt.io], resources: ['*'], verbs: ['*'] }
  - { apiGroups: [''], resources: [pods], verbs: [get, list, watch, create, update, patch, delete] }
  - { apiGroups: [''], resources: [pods/status], verbs: [update, patch] }
  - { apiGroups: [''], resources: [nodes], verbs: [get, list, watch, patch] }
---
${clusterRoleBinding(kubeVirtAccount)}
`;

function serviceAccount({ namespace, name }: ServiceAccount): string {
  return `apiVersion: v1
kind: ServiceAccount
metadata: { namespace: ${namespace}, name: ${name} }`;
}

function clusterRoleBinding({ namespace, name }: ServiceAccount): string {
  return `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: ${name} }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ${name} }
subjects: [{ kind: ServiceAccount, namespace: ${namespace}, name: ${name} }]`;
}
