import { expect, test } from 'vitest';
import { KubeApi } from '#controller/kube/api.ts';
import { loadCredentials } from '#controller/kube/credentials.ts';
import { play } from '#controller/replay/play.ts';
import { record } from '#controller/replay/recorder.ts';
import { parseRecording } from '#controller/replay/recording.ts';
import { startPlayedCluster } from '#test/lab/virt/played-cluster.ts';
import { recordedVersions } from '#test/lab/virt/story.ts';

test('what a cluster did in a migration is recorded, and replayed without it', async () => {
  await using cluster = await startPlayedCluster({ nodes: ['node-a', 'node-b'] });
  const api = new KubeApi(loadCredentials({ text: cluster.api.kubeconfig() }));
  const stop = new AbortController();
  const lines: string[] = [];
  const { promise: synced, resolve } = Promise.withResolvers<void>();
  const recording = record({ api, signal: stop.signal, write: (line) => lines.push(line) }, resolve);
  await synced;
  expect(parseRecording(lines.join('\n')).map(({ type, kind }) => `${type} ${kind}`)).toContain('ADDED Node');

  const { object } = recordedVersions('20-bare-vmi-migration')[0] ?? {};
  if (object?.kind !== 'VirtualMachineInstance') throw new Error('the recording does not begin with a VMI');
  const [namespace, name] = ['default', 'vm1'];
  await cluster.create({
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: { namespace, name },
    spec: { ...object.spec },
  });
  await cluster.until((view) => view.vmi(namespace, name)?.status.phase === 'Running');
  const sourceNode = cluster.view.vmi(namespace, name)?.status.nodeName;
  const sourcePod = cluster.view.pods(namespace)[0]?.metadata.name ?? '';
  await cluster.create({
    ...{ apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstanceMigration' },
    ...{ metadata: { namespace, name: 'mig1' }, spec: { vmiName: name } },
  });
  await cluster.until((view) => view.vmi(namespace, name)?.status.migrationState?.targetNodeDomainDetected === true);
  cluster.hypervisor.migrationFrom(sourcePod).arrive();
  await cluster.until((view) => view.migrations(namespace, name)[0]?.status?.phase === 'Succeeded');
  const targetNode = cluster.view.vmi(namespace, name)?.status.nodeName;
  await cluster.request('DELETE', `/apis/kubevirt.io/v1/namespaces/${namespace}/virtualmachineinstances/${name}`);
  await cluster.until((view) => view.vmi(namespace, name) === undefined);
  while (!lines.some((line) => line.includes('"type":"DELETED","kind":"VirtualMachineInstance",'))) {
    await new Promise((resume) => setImmediate(resume));
  }
  stop.abort();
  await recording;
  api.close();

  const events = parseRecording(lines.join('\n'));
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  expect(lines.join('\n')).not.toContain('managedFields');
  const { steps } = await play({ events });
  const chassis = steps.flatMap(({ changed }) => {
    const row = changed[`Logical_Switch_Port/vm/${namespace}/${name}`];
    return row === undefined ? [] : [row === null ? null : Object(row.options)['requested-chassis']];
  });
  // Kinds are watched each for itself: whether the pod or the VMI is heard of first is anybody's guess.
  const known = chassis.filter((value) => value !== undefined);
  expect(known.filter((value, index) => value !== known[index - 1])).toEqual([
    sourceNode,
    `${sourceNode},${targetNode}`,
    targetNode,
    null,
  ]);
});
