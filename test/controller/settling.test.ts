import { expect, test, vi } from 'vitest';
import { Core } from '#controller/core.ts';
import { Allocator } from '#controller/ipam/allocator.ts';
import { trimClusterNetwork } from '#controller/kube/objects/network.ts';
import { trimPod } from '#controller/kube/objects/pod.ts';
import { Settling } from '#controller/settling.ts';
import { Turns } from '#controller/turns.ts';
import { network, pod } from './ipam/objects.ts';

/** Time passes by `msPerLook` whenever somebody looks at the clock. */
function bed({ onSettled = () => {}, msPerLook = 0 } = {}) {
  let milliseconds = 0;
  const now = () => {
    milliseconds += msPerLook;
    return milliseconds;
  };
  const core = new Core({ networkDefaults: { mtu: 1400 }, bindingPlugins: {}, now });
  const settling = new Settling(core, { onSettled, now });
  const tell = (name: string) => {
    core.tables.clusterNetworks.put(name, trimClusterNetwork(network(name, '10.244.0.0/16')));
    settling.wake();
  };
  const known = () => [...core.engine.board.rows('Logical_Switch')].map(({ key }) => key);
  return { core, settling, tell, known, now };
}

/** As long as a turn of the event loop goes on, nobody else has had theirs. */
async function inThisTurn(): Promise<void> {
  for (let step = 0; step < 10; step += 1) await Promise.resolve();
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test('what one teller tells is settled in the same turn of the event loop, all of it at once', async () => {
  const { tell, known } = bed();
  tell('blue');
  tell('red');
  expect(known()).toEqual([]);
  await inThisTurn();
  expect(known()).toEqual(['clusternetwork/blue', 'clusternetwork/red']);
});

test('what others tell in that turn is settled together at its end', async () => {
  const { tell, known } = bed();
  tell('blue');
  await inThisTurn();
  tell('red');
  await inThisTurn();
  tell('green');
  await inThisTurn();
  expect(known()).toEqual(['clusternetwork/blue']);
  await nextTurn();
  expect(known()).toEqual(['clusternetwork/blue', 'clusternetwork/red', 'clusternetwork/green']);
  tell('white');
  await inThisTurn();
  expect(known()).toContain('clusternetwork/white');
});

test('whoever asks whether all is settled is not kept waiting for what is little', async () => {
  const { settling, tell, known } = bed();
  tell('blue');
  expect(settling.untilSettled()).toBeUndefined();
  expect(known()).toEqual(['clusternetwork/blue']);
});

test('others have their turn while much is settled', async () => {
  const { settling, tell, known } = bed({ msPerLook: 1 });
  const names = Array.from({ length: 20 }, (_, i) => `net-${i}`);
  for (const name of names) tell(name);
  const settled = settling.untilSettled();
  let turns = 0;
  const count = () => {
    turns += 1;
    if (settling.untilSettled() !== undefined) setImmediate(count);
  };
  setImmediate(count);
  await settled;
  expect(turns).toBeGreaterThan(1);
  expect(known()).toHaveLength(names.length);
});

test('what is to be done when all is settled does not hold up what is written', async () => {
  let isToldOf = false;
  const onSettled = () => {
    isToldOf = true;
  };
  const { tell, known } = bed({ onSettled });
  tell('blue');
  await inThisTurn();
  expect(known()).toHaveLength(1);
  expect(isToldOf).toBe(false);
  await nextTurn();
  await nextTurn();
  expect(isToldOf).toBe(true);
});

/** A core with a network, on a clock by which a turn is over after a handful of keys. */
function bedWithNetwork() {
  const { core, now } = bed({ msPerLook: 1 });
  core.tables.clusterNetworks.put('default', trimClusterNetwork(network('default', '10.244.0.0/16')));
  const addPods = (count: number) => {
    for (let i = 0; i < count; i += 1) core.tables.pods.put(`default/web-${i}`, trimPod(pod(`web-${i}`)));
  };
  /** How many pods have addresses after each turn. */
  const leasesByTurn = async () => {
    const turns = new Turns(now);
    const leases: number[] = [];
    for (let isSettled = false; !isSettled; ) {
      isSettled = core.settleFor(turns);
      leases.push(core.tables.podLeases.size);
      await turns.next();
    }
    return leases;
  };
  return { core, addPods, leasesByTurn };
}

test('of many that come at once the first have addresses long before features have been through with the last', async () => {
  const { core, addPods, leasesByTurn } = bedWithNetwork();
  core.allocator.start(new Map());
  await core.settle();
  addPods(200);
  const leases = await leasesByTurn();
  expect(leases.at(-1)).toBe(200);
  const [first, last] = [leases.findIndex((count) => count > 0), leases.indexOf(200)];
  expect(first).toBeLessThan(last / 2);
});

test('at the start nobody has an address before features have been through with everybody', async () => {
  const { core, addPods, leasesByTurn } = bedWithNetwork();
  addPods(200);
  core.allocator.start(new Map());
  const settle = vi.spyOn(core.allocator, 'settle');
  const isThrough: boolean[] = [];
  settle.mockImplementation((isTimeUp) => {
    isThrough.push(core.engine.isIdle);
    return Allocator.prototype.settle.call(core.allocator, isTimeUp);
  });
  const leases = await leasesByTurn();
  expect(leases.at(-1)).toBe(200);
  expect(leases.length).toBeGreaterThan(50);
  expect(isThrough[0]).toBe(true);
});
