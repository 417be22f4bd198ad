import { expect, test } from 'vitest';
import * as kinds from '#controller/kube/kinds.ts';
import { play } from '#controller/replay/play.ts';
import { record } from '#controller/replay/recorder.ts';
import { parseRecording } from '#controller/replay/recording.ts';
import { ContractClient } from '#test/kube/contract-client.ts';
import { describeOnRealKube } from '#test/kube/on-real-kube.ts';

describeOnRealKube('record', (cluster) => {
  test('what a real API server tells is a recording: a VMI and its pod come, and go with their last state', async () => {
    const { api } = cluster();
    const stop = new AbortController();
    const lines: string[] = [];
    const waiting = new Map<string, () => void>();
    const heard = (text: string) =>
      lines.some((line) => line.includes(text))
        ? Promise.resolve()
        : new Promise<void>((resolve) => waiting.set(text, resolve));
    const { promise: synced, resolve } = Promise.withResolvers<void>();
    const write = (line: string) => {
      lines.push(line);
      for (const [text, wake] of waiting) if (line.includes(text)) wake();
    };
    const recording = record({ api, signal: stop.signal, namespace: 'default', write }, resolve);
    await synced;

    const vmis = new ContractClient(api, kinds.virtualMachineInstances, 'default');
    const pods = new ContractClient(api, kinds.pods, 'default');
    const devices = { interfaces: [{ name: 'default', binding: { name: 'hawser' } }] };
    const spec = { domain: { devices }, networks: [{ name: 'default', pod: {} }] };
    const { metadata } = await vmis.create({ name: 'db' }, { spec, status: { phase: 'Running', nodeName: 'node-a' } });
    const { uid } = Object(metadata);
    const owner = { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', name: 'db', uid, controller: true };
    const container = { name: 'compute', image: 'i', env: [{ name: 'PASSWORD', value: 'not for strangers' }] };
    await pods.create(
      { name: 'virt-launcher-db', labels: { 'kubevirt.io': 'virt-launcher' }, ownerReferences: [owner] },
      { spec: { nodeName: 'node-a', containers: [container] } },
    );
    await heard('"type":"ADDED","kind":"Pod"');
    await pods.delete('virt-launcher-db', { gracePeriodSeconds: 0 });
    await vmis.delete('db');
    await Promise.all([
      heard('"type":"DELETED","kind":"Pod"'),
      heard('"type":"DELETED","kind":"VirtualMachineInstance"'),
    ]);
    stop.abort();
    await recording;

    expect(lines.join('\n')).not.toMatch(/not for strangers|managedFields/);
    const events = parseRecording(lines.join('\n'));
    const last = events.findLast(({ type, kind }) => type === 'DELETED' && kind === 'Pod');
    expect(last?.object).toMatchObject({ metadata: { name: 'virt-launcher-db' }, spec: { nodeName: 'node-a' } });
    const { steps, final } = await play({ events });
    const port = 'Logical_Switch_Port/vm/default/db';
    const rows = steps.flatMap(({ changed }) => (port in changed ? [changed[port]] : []));
    expect(rows.find((row) => row !== null)).toMatchObject({ name: 'vm/default/db' });
    expect(rows.some((row) => Object(row?.options)['requested-chassis'] === 'node-a')).toBe(true);
    expect(final[port]).toBeUndefined();
  });
});
