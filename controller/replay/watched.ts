/** The kinds that the controller watches, and the API group of each. */
const groups: Readonly<Record<string, string>> = {
  Node: '',
  Namespace: '',
  Pod: '',
  NetworkPolicy: 'networking.k8s.io',
  ClusterNetwork: 'hawser.dev',
  Network: 'hawser.dev',
  VirtualMachine: 'kubevirt.io',
  VirtualMachineInstance: 'kubevirt.io',
  VirtualMachineInstanceMigration: 'kubevirt.io',
  IPAMClaim: 'k8s.cni.cncf.io',
  NetworkAttachmentDefinition: 'k8s.cni.cncf.io',
};

/** Whether the controller would see such an object; another group may have a kind of the same name. */
export function isWatched(kind: string, { apiVersion }: Readonly<Record<string, unknown>>): boolean {
  const group = Object.hasOwn(groups, kind) ? groups[kind] : undefined;
  if (group === undefined || typeof apiVersion !== 'string') return group !== undefined;
  return group === (apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '');
}
