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
    case '/openapi/v3':
      return {
        paths: Object.fromEntries(
          ['api/v1', ...[...served].map((groupVersion) => `apis/${groupVersion}`)].map((place) => [
            place,
            { serverRelativeURL: `/openapi/v3/${place}` },
          ]),
        ),
      };
    default:
      break;
  }
  if (path.startsWith('/openapi/v3/')) return openApi(path.slice('/openapi/v3'.length), resources);
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

/** As much of OpenAPI as `kubectl` asks for: that the server checks the fields of what is applied, so that it need not. */
function openApi(place: string, resources: readonly Resource[]): object | undefined {
  const listed = resources.filter(
    (resource) => `${resource.group === '' ? '/api' : '/apis'}/${apiVersionOf(resource)}` === place,
  );
  if (listed.length === 0) return undefined;
  const parameters = [{ name: 'fieldValidation', in: 'query', schema: { type: 'string' } }];
  const paths = listed.map(({ group, version, kind, plural, namespaced }) => {
    const patch = { 'x-kubernetes-group-version-kind': { group, version, kind }, parameters, responses: {} };
    return [`${place}${namespaced ? '/namespaces/{namespace}' : ''}/${plural}/{name}`, { patch }];
  });
  return { openapi: '3.0.0', info: { title: 'Kubernetes', version: 'v1.36' }, paths: Object.fromEntries(paths) };
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
