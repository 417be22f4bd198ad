import { expect, test } from 'vitest';
import type { Place, Write, WriteResult } from '#controller/kube/writes.ts';
import { Replay } from '#controller/replay/replay.ts';
import { debianOvn, defaultFeatures } from '#controller/replay/stage.ts';
import { surroundings } from '#controller/replay/surroundings.ts';
import { statusPatch, VmNetworkStatusKeeper } from '#controller/vm-network-status.ts';
import { KubeVirtScript } from './kubevirt/script.ts';

/** A controller's core on a cluster, with a keeper whose writes take place at once. */
class Bed {
  readonly replay = new Replay(defaultFeatures, debianOvn);
  readonly writes: string[] = [];
  status: unknown;
  readonly #keeper = new VmNetworkStatusKeeper(
    this.replay.core.tables,
    this.replay.core.engine.board.problems,
    { write: (...args) => this.#write(...args) },
    () => 0,
  );
  #events = 0;

  constructor() {
    for (const object of surroundings([], [])) this.replay.apply({ type: 'ADDED', kind: object.kind, object });
  }

  async told(kubevirt: KubeVirtScript): Promise<unknown> {
    for (const event of kubevirt.events.slice(this.#events)) this.replay.apply(event);
    this.#events = kubevirt.events.length;
    await this.replay.core.settle();
    for (let before = -1; before !== this.writes.length; ) {
      before = this.writes.length;
      this.#keeper.report();
      await new Promise((resolve) => setImmediate(resolve));
    }
    return this.status;
  }

  async #write({ namespace = '', name }: Place, write: Write): Promise<WriteResult> {
    this.writes.push(write.verb);
    if (write.verb === 'patchStatus') this.status = mergePatched(this.status, write.body.status);
    this.replay.core.tables.vmNetworks.put(`${namespace}/${name}`, {
      namespace,
      name,
      uid: 'vmnet',
      status: this.status,
    });
    return { type: 'written' };
  }
}

test('of a VM with further NICs is said what each of them has, and which has nothing yet', async () => {
  const bed = new Bed();
  const kubevirt = new KubeVirtScript();
  kubevirt.createVm();
  kubevirt.attachable('blue', '10.9.0.0/24');
  kubevirt.attachmentDefinition('green', { network: 'green' });
  kubevirt.boot('a');
  kubevirt.furtherNics(['blue', 'green']);
  const blue = {
    ...{ name: 'blue', network: 'shop/blue', port: 'vm/shop/db/blue' },
    ...{ mac: '0a:58:0a:09:00:02', addresses: ['10.9.0.2'] },
  };
  expect(await bed.told(kubevirt)).toMatchObject({ conditions: [{ status: 'True' }], furtherNics: [blue] });
  kubevirt.put('Network', 'green', { metadata: { uid: 'green' }, spec: { topology: 'overlay', role: 'secondary' } });
  expect(await bed.told(kubevirt)).toMatchObject({
    conditions: [
      { status: 'False', message: 'there is no usable network network/shop/green for vm/shop/db/green yet' },
    ],
    furtherNics: [blue, { name: 'green', port: 'vm/shop/db/green' }],
  });
  kubevirt.furtherNics([]);
  expect(await bed.told(kubevirt)).not.toHaveProperty('furtherNics');
});

test('of a VM is said where its guest is, what it has, and how its last migration went', async () => {
  const bed = new Bed();
  const kubevirt = new KubeVirtScript();
  kubevirt.createVm();
  expect(await bed.told(kubevirt)).toMatchObject({
    conditions: [{ type: 'Ready', status: 'False', reason: 'Stopped' }],
  });

  const source = kubevirt.boot('a');
  expect(await bed.told(kubevirt)).toEqual({
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'PortWritten',
        message: expect.any(String),
        lastTransitionTime: '1970-01-01T00:00:00Z',
      },
    ],
    port: 'vm/shop/db',
    mac: '02:48:57:00:00:01',
    addresses: ['10.244.0.2', 'fd00:10:244::2'],
    node: 'a',
  });

  const target = kubevirt.beginMigration('mig1', 'b');
  const uid = kubevirt.vmimUid('mig1');
  expect(await bed.told(kubevirt)).toMatchObject({ lastMigration: { uid, from: 'a', to: 'b', phase: 'Scheduled' } });
  kubevirt.handOff('mig1', target, source);
  kubevirt.migrate('mig1');
  kubevirt.domainReady(target);
  expect(await bed.told(kubevirt)).toMatchObject({
    lastMigration: { uid, from: 'a', to: 'b', phase: 'Running', activationTime: '2026-11-21T05:10:20Z' },
  });
  kubevirt.succeed('mig1', target, source);
  const moved = {
    uid,
    from: 'a',
    to: 'b',
    phase: 'Succeeded',
    activationTime: '2026-11-21T05:10:20Z',
    commitTime: '2026-11-21T05:10:21Z',
  };
  expect(await bed.told(kubevirt)).toMatchObject({ node: 'b', lastMigration: moved });

  kubevirt.stop();
  const stopped = await bed.told(kubevirt);
  expect(stopped).toMatchObject({ conditions: [{ reason: 'Stopped' }], lastMigration: moved });
  expect(stopped).not.toHaveProperty('node');
});

test('a migration that fails is told as one, and has no commit', async () => {
  const bed = new Bed();
  const kubevirt = new KubeVirtScript();
  kubevirt.createVm();
  const source = kubevirt.boot('a');
  kubevirt.move('mig1', source, 'b');
  await bed.told(kubevirt);
  const target = kubevirt.beginMigration('mig2', 'c');
  kubevirt.handOff('mig2', target, 'virt-launcher-db-2');
  kubevirt.failOnVmi('Target pod is down');
  kubevirt.vmimPhase('mig2', 'Failed');
  expect(await bed.told(kubevirt)).toMatchObject({
    node: 'b',
    lastMigration: { uid: kubevirt.vmimUid('mig2'), from: 'b', to: 'c', phase: 'Failed' },
  });
  expect(Object(await bed.told(kubevirt)).lastMigration).not.toHaveProperty('commitTime');
});

test('of a VM that has no addresses is said why, in the words of its Event, until it has them', async () => {
  const bed = new Bed();
  const holder = {
    metadata: {
      namespace: 'shop',
      name: 'web',
      uid: 'web',
      annotations: { 'v1.multus-cni.io/default-network': '[{"name":"default","ips":["10.244.0.9"]}]' },
    },
    spec: { nodeName: 'a' },
  };
  bed.replay.apply({ type: 'ADDED', kind: 'Pod', object: holder });
  const kubevirt = new KubeVirtScript();
  kubevirt.createVm({ annotations: { 'network.kubevirt.io/addresses': '{"default":["10.244.0.9"]}' } });
  kubevirt.boot('a');
  const message = 'the requested address 10.244.0.9 is taken by pod/shop/web';
  expect(await bed.told(kubevirt)).toMatchObject({
    conditions: [{ type: 'Ready', status: 'False', reason: 'AddressConflict', message }],
  });
  bed.replay.apply({ type: 'DELETED', kind: 'Pod', object: holder });
  expect(await bed.told(kubevirt)).toMatchObject({
    conditions: [{ status: 'True', reason: 'PortWritten' }],
    addresses: ['10.244.0.9', expect.any(String)],
  });
});

test('what of its annotation cannot be had is a condition that names the field, until it is mended', async () => {
  const bed = new Bed();
  const kubevirt = new KubeVirtScript();
  kubevirt.createVm({ annotations: { 'hawser.dev/guest': '{"ntp": ["10.1"]}' } });
  kubevirt.boot('a');
  const message = 'hawser.dev/guest: ntp[0]: "10.1" is not an IPv4 or IPv6 address';
  expect(await bed.told(kubevirt)).toMatchObject({
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'GuestSettings', status: 'False', reason: 'NotAllTold', message },
    ],
  });
  kubevirt.patch('VirtualMachine', 'db', {
    metadata: { annotations: { 'hawser.dev/guest': '{"ntp": ["10.1.0.1"]}' } },
  });
  expect(await bed.told(kubevirt)).toMatchObject({ conditions: [{ type: 'Ready', status: 'True' }] });
});

test('nothing is written of what is said already, and many changes are one write', async () => {
  const bed = new Bed();
  const kubevirt = new KubeVirtScript();
  kubevirt.createVm();
  const source = kubevirt.boot('a');
  await bed.told(kubevirt);
  expect(bed.writes).toEqual(['create', 'patchStatus']);
  kubevirt.move('mig1', source, 'b');
  await bed.told(kubevirt);
  await bed.told(kubevirt);
  expect(bed.writes).toEqual(['create', 'patchStatus', 'patchStatus']);
});

test('a patch names what no longer holds', () => {
  const owner = { kind: 'VirtualMachine', namespace: 'shop', name: 'db', uid: 'u' };
  const ready = { status: 'False', reason: 'Stopped', message: '' } as const;
  expect(statusPatch({ owner, ready }, { node: 'a', port: 'vm/shop/db' }, 0)).toMatchObject({ node: null, port: null });
});

function mergePatched(before: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = { ...Object(before) };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = mergePatched(result[name], value);
  }
  return result;
}
