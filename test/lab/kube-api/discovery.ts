import { apiVersionOf, type Resource } from './resources.ts';

/** The discovery documents `kubectl` reads to learn what there is; undefined for any other path. */
export function discoveryDocument(path: string, resources: readonly Resource[]): object | undefined {
  const served = new Set(resources.filter(({ group }) => group !== '').map(apiVersionOf));
  switch (path) {
    case '/version':
      return { major: '1', minor: '36', gitVersion: 'v1.36.0-hawser-lab', platform: 'linux/amd64' };
    case '/api':
      return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
    case '/apis':
      return {
        kind: 'APIGroupList',
        apiVersion: 'v1',
        groups: [...Map.groupBy(served, (groupVersion) => groupVersion.split('/')[0] ?? '')].map(([name, versions]) =>
          group(name, versions),
        ),
      };
    default:
      break;
  }
  const groupVersion = path === '/api/v1' ? 'v1' : path.startsWith('/apis/') ? path.slice('/apis/'.length) : '';
  const listed = resources.filter((resource) => apiVersionOf(resource) === groupVersion);
  if (listed.length > 0) {
    return {
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion,
      resources: listed.flatMap(entries),
    };
  }
  const versions = [...served].filter((candidate) => candidate.startsWith(`${groupVersion}/`));
  return versions.length > 0 ? { kind: 'APIGroup', apiVersion: 'v1', ...group(groupVersion, versions) } : undefined;
}

function group(name: string, groupVersions: readonly string[]): object {
  const versions = groupVersions.map((groupVersion) => ({ groupVersion, version: groupVersion.split('/')[1] }));
  return { name, versions, preferredVersion: versions[0] };
}

function entries(resource: Resource): object[] {
  const { plural: name, singular: singularName, namespaced, kind, shortNames } = resource;
  const verbs = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];
  const main = { name, singularName, namespaced, kind, shortNames, verbs };
  const status = { name: `${name}/status`, singularName: '', namespaced, kind, verbs: ['get', 'patch', 'update'] };
  const binding = { name: 'pods/binding', singularName: '', namespaced, kind: 'Binding', verbs: ['create'] };
  return [main, ...(resource.hasStatus ? [status] : []), ...(name === 'pods' ? [binding] : [])];
}
