import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { KubeApi } from '#controller/kube/api.ts';
import { loadCredentials } from '#controller/kube/credentials.ts';
import { KubeError } from '#controller/kube/errors.ts';
import { EventRecorder } from '#controller/kube/events.ts';
import * as kinds from '#controller/kube/kinds.ts';
import { watchKind } from '#controller/kube/watch.ts';
import { Writer } from '#controller/kube/writes.ts';
import { LeaderElection } from '#controller/leader-election.ts';
import { statusPatch } from '#controller/vm-network-status.ts';
import { ContractClient, refusal } from '#test/kube/contract-client.ts';
import { kubeconfigText } from '#test/kube/kubeconfig.ts';
import { describeOnRealKube } from '#test/kube/on-real-kube.ts';
import { acceptedChanges, acceptedNetworks, refusedChanges, refusedNetworks } from './networks.ts';

const deploy = join(import.meta.dirname, '../../deploy');

describeOnRealKube('deploy', (cluster) => {
  const networks = () => new ContractClient(cluster().api, kinds.networks, 'default');
  const clusterNetworks = () => new ContractClient(cluster().api, kinds.clusterNetworks, 'default');
  let made = 0;
  const create = (spec: object) => networks().create({ name: `network-${made++}` }, { spec });

  for (const [sentence, spec] of refusedNetworks) {
    test(`refused: ${sentence} (${JSON.stringify(spec).slice(0, 60)})`, async () => {
      await expect(create(spec)).rejects.toThrow(
        expect.objectContaining({ message: expect.stringContaining(sentence) }),
      );
    });
  }

  for (const [sentence, before, change] of refusedChanges) {
    test(`a change is refused: ${sentence} (${JSON.stringify(change)})`, async () => {
      const { metadata } = await create(before);
      const patch = networks().patch(metadata.name, 'merge', { spec: change });
      await expect(patch).rejects.toThrow(expect.objectContaining({ message: expect.stringContaining(sentence) }));
    });
  }

  for (const [what, spec] of acceptedNetworks) {
    test(`accepted: ${what}`, async () => {
      const { spec: stored } = await create(spec);
      expect(stored).toMatchObject(spec);
    });
  }

  for (const [what, before, change] of acceptedChanges) {
    test(`a change is accepted: ${what}`, async () => {
      const { metadata } = await create(before);
      expect(await networks().patch(metadata.name, 'merge', { spec: change })).toMatchObject({ spec: change });
    });
  }

  test('the default network is primary and selects no namespaces', async () => {
    const spec = { topology: 'overlay', subnets: ['10.1.0.0/16'] };
    const selecting = { ...spec, namespaceSelector: {} };
    await expect(clusterNetworks().create({ name: 'default' }, { spec: selecting })).rejects.toThrow(
      'the ClusterNetwork named default selects no namespaces',
    );
    await expect(
      clusterNetworks().create({ name: 'default' }, { spec: { ...spec, role: 'secondary' } }),
    ).rejects.toThrow('the ClusterNetwork named default is primary');
    await clusterNetworks().create({ name: 'default' }, { spec });
    await clusterNetworks().create({ name: 'tenants' }, { spec: selecting });
  });

  test('kubectl shows what a network is and how full it is', async () => {
    await networks().create({ name: 'shown' }, { spec: { topology: 'overlay', subnets: ['10.7.0.0/16'] } });
    const condition = {
      type: 'Ready',
      status: 'True',
      reason: 'Written',
      message: '',
      lastTransitionTime: '2026-11-21T00:00:00Z',
    };
    const status = { observedGeneration: 1, allocated: 3, free: 65_530, conditions: [condition] };
    await networks().patch('shown', 'merge', { status }, 'status');
    const [header, row] = (await cluster().kubectl(['get', 'networks.hawser.dev', 'shown'])).trimEnd().split('\n');
    expect(header?.split(/\s+/)).toEqual(['NAME', 'TOPOLOGY', 'ROLE', 'SUBNETS', 'READY', 'ALLOCATED', 'FREE', 'AGE']);
    expect(row?.split(/\s+/).slice(0, 7)).toEqual([
      'shown',
      'overlay',
      'primary',
      '["10.7.0.0/16"]',
      'True',
      '3',
      '65530',
    ]);
  });

  test('a field that does not exist is told to who applies it', async () => {
    const manifest = `
apiVersion: hawser.dev/v1alpha1
kind: Network
metadata: { name: typo, namespace: default }
spec: { topology: overlay, subnet: [10.1.0.0/16] }`;
    await expect(cluster().kubectl(['apply', '-f', '-'], manifest)).rejects.toThrow('unknown field "spec.subnet"');
  });

  for (const kustomization of ['crds', 'base', 'overlays/example']) {
    test(`every object of deploy/${kustomization} is accepted by a server-side dry run`, async () => {
      // The dry run of an object needs its namespace to be there for real.
      await cluster().kubectl(['apply', '-f', join(deploy, 'base/namespace.yaml')]);
      const names = await cluster().kubectl([
        ...['apply', '--server-side', '--dry-run=server', '--force-conflicts', '-o', 'name'],
        ...['-k', join(deploy, kustomization)],
      ]);
      const { length } = (await cluster().kubectl(['kustomize', join(deploy, kustomization)])).split('\n---\n');
      expect(names.trim().split('\n')).toHaveLength(length);
    });
  }

  test('the examples of docs/ are accepted', async () => {
    for (const example of globSync(join(deploy, '../docs/examples/*.yaml'))) {
      const names = await cluster().kubectl([
        'apply',
        '--server-side',
        '--dry-run=server',
        '-o',
        'name',
        '-f',
        example,
      ]);
      expect(names.trim().split('\n').length).toBeGreaterThan(1);
    }
  });

  test('every file of deploy is part of the base, of an overlay, or of the KubeVirt registration', () => {
    const reached = new Set<string>();
    const follow = (folder: string): void => {
      reached.add(join(folder, 'kustomization.yaml'));
      const { resources } = parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8'));
      for (const resource of resources) {
        if (resource.endsWith('.yaml')) reached.add(join(folder, resource));
        else follow(join(folder, resource));
      }
    };
    follow(join(deploy, 'overlays/example'));
    reached.add(join(deploy, 'kubevirt/network-binding.yaml'));
    expect(globSync(join(deploy, '**/*.yaml')).sort()).toEqual([...reached].sort());
  });

  test('the controller can do all of its work with its ServiceAccount, and nothing else', async () => {
    await cluster().kubectl(['apply', '--server-side', '--force-conflicts', '-k', join(deploy, 'base')]);
    await clusterNetworks().create({ name: 'reported' }, { spec: { topology: 'overlay', subnets: ['10.8.0.0/16'] } });
    const token = await cluster().serviceAccountToken('hawser-system', 'hawser-controller');
    const { url, ca } = cluster();
    const api = new KubeApi(loadCredentials({ text: kubeconfigText({ url, ca, token }) }));
    const end = new AbortController();
    try {
      for (const kind of Object.values(kinds).filter((value) => typeof value !== 'function')) {
        const synced = Promise.withResolvers<void>();
        const watch = watchKind<unknown>(
          kind,
          { put: () => undefined, remove: () => undefined, synced: () => undefined },
          {
            api,
            signal: end.signal,
            onNotice: (notice) => {
              if (notice.type === 'opened') synced.resolve();
              if (notice.type === 'failed') synced.reject(notice.error);
            },
          },
        );
        watch.catch(synced.reject);
        await synced.promise;
      }
      const writer = new Writer({ api, signal: end.signal, perSecond: 1000, burst: 1000 });
      const claim = { kind: kinds.ipamClaims, namespace: 'default', name: 'db.default' };
      const { apiVersion, kind } = kinds.ipamClaims;
      const body = {
        apiVersion,
        kind,
        metadata: { name: claim.name, finalizers: ['hawser.dev/addresses'] },
        spec: { network: 'default', interface: 'eth0' },
      };
      const results = [
        await writer.write(claim, { verb: 'create', body }),
        await writer.write(claim, { verb: 'patchStatus', body: { status: { ips: ['10.1.0.5/16'], ownerPod: '' } } }),
        await writer.write(claim, { verb: 'patch', body: { metadata: { finalizers: [] } } }),
        await writer.write(claim, { verb: 'delete' }),
        await writer.write(
          { kind: kinds.clusterNetworks, name: 'reported' },
          { verb: 'patchStatus', body: { status: { allocated: 1 } } },
        ),
        ...(await toldOfVm(writer)),
        await new EventRecorder(writer).report(
          { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'a', uid: 'u' },
          { type: 'Warning', reason: 'Tried', message: 'a test' },
        ),
      ];
      expect(results).toEqual(results.map(() => ({ type: 'written' })));
      const resigning = new AbortController();
      const election = new LeaderElection({
        api,
        namespace: 'hawser-system',
        name: 'hawser-controller',
        identity: 'test',
        sleep: async () => {},
        signal: resigning.signal,
      });
      expect(await election.elected()).toMatchObject({ identity: 'test' });
      resigning.abort();
      await election.lost();

      const pods = new ContractClient(api, kinds.pods, 'default');
      const secrets = { apiVersion: 'v1', kind: 'Secret', resource: 'secrets', namespaced: true };
      expect(await refusal(pods.create({ name: 'a' }, { spec: { containers: [{ name: 'c', image: 'i' }] } }))).toBe(
        'forbidden',
      );
      expect(await refusal(pods.patch('a', 'merge', { metadata: { labels: { a: '1' } } }))).toBe('forbidden');
      expect(await refusal(new ContractClient(api, secrets, 'hawser-system').list())).toBe('forbidden');
      const vms = new ContractClient(api, kinds.virtualMachines, 'default');
      expect(await refusal(vms.patch('a', 'merge', { metadata: { labels: { a: '1' } } }))).toBe('forbidden');
      const otherLeases = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', resource: 'leases', namespaced: true };
      expect(await refusal(new ContractClient(api, otherLeases, 'kube-system').list())).toBe('forbidden');
    } finally {
      end.abort();
      api.close();
    }
  });

  test('the node agent has no rights of its own', async () => {
    const account = 'system:serviceaccount:hawser-system:hawser-node-agent';
    const rights = await cluster().kubectl(['auth', 'can-i', '--list', '--no-headers', '--as', account]);
    // What remains is what every authenticated user may: to review its own rights and to read what the API has.
    const resources = rights.split('\n').filter((line) => line.trim() !== '' && !line.startsWith(' '));
    expect(resources.map((line) => line.split(/\s+/)[0]).sort()).toEqual([
      'selfsubjectaccessreviews.authorization.k8s.io',
      'selfsubjectreviews.authentication.k8s.io',
      'selfsubjectrulesreviews.authorization.k8s.io',
    ]);
  });

  test('a certificate that the kubeconfig does not vouch for is refused', async () => {
    const { url, api } = cluster();
    const stranger = new KubeApi(
      loadCredentials({
        text: kubeconfigText({ url, ca: readFileSync('/etc/ssl/certs/ca-certificates.crt', 'utf8'), token: 'x' }),
      }),
    );
    const error = await stranger.get('/version').catch((given: unknown) => given);
    expect(error).toBeInstanceOf(KubeError);
    expect(error).toMatchObject({ code: 'unreachable', message: expect.stringContaining('certificate') });
    expect(await api.get('/version')).toMatchObject({ major: '1' });
    stranger.close();
  });
});

/** What is said of a VM, as the controller says it. */
async function toldOfVm(writer: Writer) {
  const place = { kind: kinds.virtualMachineNetworks, namespace: 'default', name: 'db' };
  const { apiVersion, kind } = kinds.virtualMachineNetworks;
  const said = {
    owner: { kind: 'VirtualMachine', namespace: 'default', name: 'db', uid: 'u' },
    ready: { status: 'True', reason: 'PortWritten', message: 'its port is what it should be' },
    ...{ port: 'vm/default/db', mac: '02:00:00:00:00:01', addresses: ['10.1.0.5'], node: 'b' },
    lastMigration: { uid: 'm', from: 'a', to: 'b', phase: 'Succeeded', commitTime: '2026-11-21T00:00:00Z' },
  } as const;
  return [
    await writer.write(place, { verb: 'create', body: { apiVersion, kind, metadata: { name: place.name } } }),
    await writer.write(place, { verb: 'patchStatus', body: { status: statusPatch(said, undefined, 0) } }),
  ];
}
