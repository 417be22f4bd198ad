import { expect, test } from 'vitest';
import type { Place, Write, WriteResult } from '#controller/kube/writes.ts';
import { NetworkStatusKeeper } from '#controller/network-status.ts';
import { freshReplay } from './recordings.ts';

type Json = Readonly<Record<string, unknown>>;

const network = (...subnets: string[]): Json => ({
  metadata: { name: 'default', uid: 'net-default', generation: 3 },
  spec: { topology: 'overlay', role: 'primary', subnets },
});
const pod = (name: string): Json => ({
  metadata: { namespace: 'default', name, uid: name },
  spec: { nodeName: 'node-a' },
});

test('a network says whether guests can use it, how full it is, and who waits; and again only when that changes', async () => {
  const replay = freshReplay();
  const written: { place: Place; write: Write }[] = [];
  const writer = {
    write: async (place: Place, write: Write): Promise<WriteResult> => {
      written.push({ place, write });
      return { type: 'written' };
    },
  };
  const keeper = new NetworkStatusKeeper(replay.core, writer, () => 0);
  const put = (kind: string, object: Json) => replay.apply({ type: 'MODIFIED', kind, object });
  const told = async () => {
    await replay.core.settle();
    keeper.report();
    return written.splice(0).map(({ write }) => (write.verb === 'patchStatus' ? write.body.status : write));
  };
  const time = { lastTransitionTime: '1970-01-01T00:00:00Z', observedGeneration: 3 };
  const ready = { type: 'Ready', status: 'True', reason: 'Usable', message: 'guests can use the network', ...time };
  const notExhausted = {
    type: 'AddressesExhausted',
    status: 'False',
    reason: 'AddressesLeft',
    message: 'no guest waits for an address',
    ...time,
  };

  put('ClusterNetwork', network('10.244.0.0/30'));
  put('Pod', pod('a'));
  expect(await told()).toEqual([{ observedGeneration: 3, allocated: 1, free: 0, conditions: [ready, notExhausted] }]);
  expect(await told()).toEqual([]);

  put('Pod', pod('b'));
  const message = 'network default has no free IPv4 address left; 1 wait, Pod default/b among them';
  const exhausted = { ...notExhausted, status: 'True', reason: 'AddressesExhausted', message };
  expect(await told()).toEqual([{ observedGeneration: 3, allocated: 1, free: 0, conditions: [ready, exhausted] }]);

  put('ClusterNetwork', network('10.244.0.0/31'));
  const [broken] = await told();
  expect(broken).toMatchObject({
    free: 0,
    conditions: [
      { type: 'Ready', status: 'False', message: 'spec.subnets: 10.244.0.0/31 has no room for a gateway and a guest' },
      {},
    ],
  });
});
