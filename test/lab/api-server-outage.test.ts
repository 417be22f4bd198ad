import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { whyNoKube } from '#test/kube/assets.ts';
import { applyManifest, deleteManifest } from '#test/kube/manifest.ts';
import type { KubernetesOptions } from './kubernetes/kubernetes.ts';
import { type RealKubernetes, realKubernetes } from './kubernetes/real.ts';
import { type StartedLab, startLab } from './lab.ts';
import { attachments, networkYaml, observerYaml } from './manifests.ts';
import { liveMigrate } from './scenarios/migration.ts';
import { run } from './topology/command.ts';
import { until } from './until.ts';
import type { Pod } from './virt/objects.ts';
import type { Gate } from './virt/writer-loop.ts';
import { LabVm } from './vm.ts';

// The API server is killed in the middle of a live migration, a pod ends while it is away, and it comes back after 30 s.

const outageMs = 30_000;
const pings = 100;

const why = whyNoKube();
if (why !== undefined) console.warn(`an API server that is away: skipped, because ${why}`);

const bystanderYaml = observerYaml
  .replaceAll('observer', 'bystander')
  .replace('spec:', 'spec:\n  restartPolicy: Never');

describe.skipIf(why !== undefined)('an API server that is away', () => {
  let lab: StartedLab;
  let kubernetes: RealKubernetes;
  /** T10: the source's QEMU has begun to copy its guest, and virt-handler is about to say so. */
  const copying = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  const gate: Gate = async (step) => {
    if (step !== 'T10') return;
    copying.resolve();
    await gone.promise;
  };

  // The first run on a machine builds Kubernetes.
  beforeAll(async () => {
    const startKubernetes = async (options: KubernetesOptions) => {
      kubernetes = await realKubernetes(options);
      return kubernetes;
    };
    lab = await startLab({ nodes: 2, log: () => {}, startKubernetes, gate });
  }, 30 * 60_000);
  afterAll(() => lab?.[Symbol.asyncDispose]());

  const pod = (name: string): Pod | undefined =>
    lab.view.pods('default').find(({ metadata }) => metadata.name === name);
  const running = (name: string): Promise<Pod> =>
    until(lab.view, `${name} runs`, () => {
      const found = pod(name);
      return found?.status?.phase === 'Running' && found;
    });

  test('data path, migration and CNI DEL go on without it, and all is told once it is back', {
    timeout: 400_000,
  }, async () => {
    const { api } = kubernetes;
    const [worker] = lab.workers;
    if (worker === undefined) throw new Error('the lab has no node');
    for (const manifest of [networkYaml, observerYaml, bystanderYaml]) await applyManifest(api, manifest);
    const vm = new LabVm(lab, 'vm1', attachments[1]);
    const { ipv4, bootId } = await lab.onlyOn('node-a', () => vm.boot());
    const observer = worker.kubelet.sandboxOf((await running('observer')).metadata.uid);
    const { uid } = (await running('bystander')).metadata;
    const { pid } = lab.controller;

    const migration = liveMigrate(lab, vm, { to: 'node-b' });
    await copying.promise;
    await kubernetes.outage();
    gone.resolve();
    const isOver = delay(outageMs);
    const [address = ''] = (ipv4[0] ?? '').split('/');
    const pinging = run('ping', ['-q', '-i', '0.2', '-c', String(pings), address], { netns: observer?.netns ?? '' });
    worker.kubelet.launcherExited(uid, 0);
    await expect
      .poll(() => worker.node.vsctl('--bare', 'find', 'Interface', 'external_ids:iface-id=pod/default/bystander'), {
        timeout: 20_000,
      })
      .toBe('');
    await expect.poll(() => worker.kubelet.sandboxOf(uid), { timeout: 20_000 }).toBeUndefined();
    const [, received = '0'] = /(\d+) received/.exec(await pinging) ?? [];
    // A guest that moves misses some.
    expect(Number(received)).toBeGreaterThan(pings * 0.9);
    await isOver;
    expect(lab.controller.pid).toBe(pid);
    await kubernetes.outageEnds();

    expect((await migration).outcome).toBe('completed');
    expect(await lab.history.chassisOf(vm.port, 'node-b')).toBe('node-b');
    expect((await vm.report()).bootId).toBe(bootId);
    await until(lab.view, 'the bystander has ended', () => pod('bystander')?.status?.phase === 'Succeeded');
    await deleteManifest(api, bystanderYaml);
    await vm.delete();
  });
});
