import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { kubeAssets, whyNoKube, whyNoNodes } from './assets.ts';

const programs = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl'];
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hawser-assets-'));
  for (const name of programs) writeFileSync(join(folder, name), '#!/bin/sh\n', { mode: 0o755 });
  vi.stubEnv('KUBEBUILDER_ASSETS', folder);
  vi.stubEnv('PATH', '/nowhere');
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

test('programs in $KUBEBUILDER_ASSETS are taken as they are, and nothing is built', async () => {
  const said: string[] = [];
  expect(await kubeAssets((line) => said.push(line))).toEqual({
    etcd: join(folder, 'etcd'),
    kubeApiserver: join(folder, 'kube-apiserver'),
    kubeControllerManager: join(folder, 'kube-controller-manager'),
    kubeScheduler: join(folder, 'kube-scheduler'),
    kubectl: join(folder, 'kubectl'),
  });
  expect(said).toEqual([]);
  expect(whyNoKube()).toBeUndefined();
});

test('without etcd nothing is started, and the line says what to install', async () => {
  rmSync(join(folder, 'etcd'));
  expect(whyNoKube()).toBe('etcd is not installed (apt-get install etcd-server)');
  await expect(kubeAssets(() => undefined)).rejects.toThrow('etcd is not installed: apt-get install etcd-server');
});

test('where neither Go nor the programs are there, a line says so, for control planes and for nodes', () => {
  vi.stubEnv('XDG_CACHE_HOME', folder);
  vi.stubEnv('GOROOT', folder);
  expect(whyNoNodes()).toBe('neither Go nor $KUBEBUILDER_ASSETS with kubelet, agnhost, e2e.test and multus is there');
  rmSync(join(folder, 'kube-scheduler'));
  expect(whyNoKube()).toBe(
    'neither Go nor $KUBEBUILDER_ASSETS with kube-apiserver, kube-controller-manager, kube-scheduler and kubectl is there',
  );
  expect(whyNoNodes()).toBe(whyNoKube());
});
