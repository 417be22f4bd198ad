import { expect, test } from 'vitest';
import { claimFinalizer } from '#controller/features/released-claims.ts';
import type { RowState } from '#controller/replay/northbound-rows.ts';
import { play } from '#controller/replay/play.ts';
import type { RecordedEvent } from '#controller/replay/recording.ts';
import { arrive, decentralised } from '../kubevirt/paths.ts';

const here = 'Logical_Switch_Port/vm/here/db';
const there = 'Logical_Switch_Port/vm/there/db2';

test('until the guest runs at the target, the target’s port has no address, and its node knows which ones are to come', async () => {
  const final = await finalOf(decentralised(() => {}));
  expect(final[here]).toMatchObject({ addresses: [guest], options: { 'requested-chassis': 'a' } });
  expect(final[there]).toMatchObject({
    addresses: [],
    options: { 'requested-chassis': 'b' },
    external_ids: { 'hawser:addresses': guest, 'hawser:pod:pod-there-db2-1': 'eth0' },
  });
});

test('with the word that its domain runs there, the addresses go over in one step', async () => {
  const { steps } = await play({ events: decentralised(arrive) });
  const changes = steps.flatMap(({ changed }) => (here in changed || there in changed ? [changed] : []));
  const handOver = changes.find((changed) => there in changed && String(changed[there]?.addresses) === guest);
  expect(handOver).toMatchObject({
    [here]: null,
    [there]: { addresses: [guest], options: { 'requested-chassis': 'b' } },
  });
});

test('it keeps its port while its new claim is there already and its former one is there still', async () => {
  const claim = (owner: object) => ({
    metadata: { uid: 'claim', finalizers: [claimFinalizer], ownerReferences: [{ ...owner, controller: true }] },
    spec: { network: 'default', interface: 'eth0' },
    status: { ips: ['10.244.0.9/20', 'fd00:10:244::9/68'] },
  });
  const final = await finalOf(
    decentralised(({ source, target }) => {
      source.put('IPAMClaim', 'db.default', claim({ kind: 'VirtualMachine', name: 'db', uid: source.vmUid }));
      target.migrationState({ targetNodeDomainReadyTimestamp: '2026-11-21T05:10:20Z' });
      target.put('IPAMClaim', 'db2.default', claim({ kind: 'VirtualMachine', name: 'db2', uid: target.vmUid }));
    }),
  );
  expect(final[there]?.addresses).toEqual(['02:48:57:00:00:01 10.244.0.9 fd00:10:244::9']);
});

test('a halted VM whose guest has left is given other addresses when it is started', async () => {
  const final = await finalOf(
    decentralised((sides) => {
      arrive(sides);
      sides.source.createVm({ mac: '02:48:57:00:00:07' });
      sides.source.boot('a');
    }),
  );
  expect(final[there]?.addresses).toEqual([guest]);
  expect(final[here]?.addresses).toEqual([
    expect.stringMatching(/^02:48:57:00:00:07 10\.244\.\d+\.\d+ fd00:10:244::\w+$/),
  ]);
  expect(String(final[here]?.addresses)).not.toContain(' 10.244.11.80 ');
});

test('the guest keeps its addresses when the VM it came from is deleted', async () => {
  const final = await finalOf(
    decentralised((sides) => {
      arrive(sides);
      sides.source.remove('VirtualMachine', 'db');
      sides.target.stop();
      sides.target.boot('a');
    }),
  );
  expect(final[there]?.addresses).toEqual([guest]);
});

test('between networks that are not one each side has its own addresses', async () => {
  const network = (name: string, namespace: string, subnet: string) => ({
    ...{ kind: 'Network', metadata: { namespace, name, uid: name } },
    spec: { topology: 'overlay', role: 'primary', subnets: [subnet] },
  });
  const objects = [network('blue', 'here', '10.1.0.0/24'), network('red', 'there', '10.2.0.0/24')];
  const { final } = await play({ events: decentralised(() => {}), objects });
  expect([final[here]?.addresses, final[there]?.addresses]).toEqual([
    ['02:48:57:00:00:01 10.1.0.46'],
    ['02:48:57:00:00:01 10.2.0.92'],
  ]);
});

// A replay makes addresses that nobody recorded of the name of the claim.
const guest = '02:48:57:00:00:01 10.244.11.80 fd00:10:244::b50';

async function finalOf(events: readonly RecordedEvent[]): Promise<Readonly<Record<string, RowState>>> {
  return (await play({ events })).final;
}
