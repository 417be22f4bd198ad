import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type KubeApi, startKubeApi } from '#test/lab/kube-api/server.ts';
import { run } from '#test/lab/topology/command.ts';
import { kubeAssets, whyNoKube } from './assets.ts';

const why = whyNoKube();
if (why !== undefined) console.warn(`kubectl: skipped, because ${why}`);

describe.skipIf(why !== undefined)('kubectl on the stand-in of the lab', () => {
  let api: KubeApi;
  let folder: string;
  let kubectl: (args: string[], input?: string) => Promise<string>;

  beforeAll(async () => {
    const { kubectl: program } = await kubeAssets(console.log);
    api = await startKubeApi();
    folder = mkdtempSync(join(tmpdir(), 'hawser-kubectl-'));
    const kubeconfig = join(folder, 'kubeconfig');
    writeFileSync(kubeconfig, api.kubeconfig());
    kubectl = (args, input = '') =>
      run(program, ['--kubeconfig', kubeconfig, '--cache-dir', join(folder, 'cache'), ...args], { input });
  }, 30 * 60_000);
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await api[Symbol.asyncDispose]();
  });

  const vm = `
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: { name: db }
spec: { runStrategy: Always, template: { spec: { domain: { devices: {} } } } }`;

  test('apply creates, then changes', async () => {
    expect(await kubectl(['apply', '-f', '-'], vm)).toBe('virtualmachine.kubevirt.io/db created\n');
    expect(await kubectl(['apply', '-f', '-'], vm)).toBe('virtualmachine.kubevirt.io/db unchanged\n');
    expect(await kubectl(['apply', '-f', '-'], vm.replace('Always', 'Halted'))).toBe(
      'virtualmachine.kubevirt.io/db configured\n',
    );
    expect(await kubectl(['get', 'vm', 'db', '-o', 'jsonpath={.spec.runStrategy}'])).toBe('Halted');
  });

  test('get lists by short name, label and namespace', async () => {
    await kubectl(['apply', '-f', '-'], vm.replace('name: db', 'name: web, labels: { tier: web }'));
    expect(await kubectl(['get', 'vms', '-l', 'tier=web', '-o', 'name'])).toBe('virtualmachine.kubevirt.io/web\n');
    expect(await kubectl(['get', 'vm', '-A', '--no-headers'])).toMatch(/^default\s+db\s.*\ndefault\s+web\s/);
  });

  test('patch, label, annotate and delete', async () => {
    await kubectl(['apply', '-f', '-'], vm.replace('name: db', 'name: mail'));
    await kubectl(['patch', 'vm', 'mail', '--type=merge', '-p', '{"spec":{"runStrategy":"Manual"}}']);
    await kubectl(['patch', 'vm', 'mail', '--type=json', '-p', '[{"op":"add","path":"/spec/extra","value":1}]']);
    await kubectl(['label', 'vm', 'mail', 'tier=mail']);
    await kubectl(['annotate', 'vm', 'mail', 'a/b=c']);
    const mail = JSON.parse(await kubectl(['get', 'vm', 'mail', '-o', 'json']));
    expect(mail).toMatchObject({
      metadata: { labels: { tier: 'mail' }, annotations: { 'a/b': 'c' } },
      spec: { runStrategy: 'Manual', extra: 1 },
    });
    expect(await kubectl(['delete', 'vm', 'mail'])).toContain('virtualmachine.kubevirt.io "mail" deleted');
  });

  test('what the stand-in cannot do is refused with a sentence', async () => {
    await expect(kubectl(['apply', '--server-side', '-f', '-'], vm)).rejects.toThrow('the lab API patches with');
    const invalid =
      'apiVersion: hawser.dev/v1alpha1\nkind: Network\nmetadata: { name: blue }\nspec: { topology: mesh }';
    await expect(kubectl(['apply', '-f', '-'], invalid)).rejects.toThrow('supported values: "overlay", "underlay"');
    const typo = invalid.replace('topology: mesh', 'topology: overlay, subnet: [10.1.0.0/16]');
    await expect(kubectl(['apply', '-f', '-'], typo)).rejects.toThrow('unknown field "spec.subnet"');
  });
});
