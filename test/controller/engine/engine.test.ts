import { describe, expect, test } from 'vitest';
import { Engine, type Feature } from '#controller/engine/engine.ts';
import { derived, madeRow, mapEntry, problem, type RowForm, row, setEntry } from '#controller/engine/facts.ts';
import { Table } from '#controller/engine/table.ts';

interface Port {
  readonly network: string;
  readonly node: string;
}

function bed() {
  const ports = new Table<Port, 'network'>('ports', { network: ({ network }) => [network] });
  const networks = new Table<{ readonly mtu: number }>('networks');
  const mtus = new Table<number>('mtus');
  const engine = new Engine();
  const mtu: Feature<{ readonly mtu: number }> = {
    name: 'mtu',
    from: networks,
    *facts(key, network) {
      yield derived(mtus, key, network.mtu);
      yield row('Logical_Switch', key, { name: key });
    },
  };
  const port: Feature<Port> = {
    name: 'port',
    from: ports,
    *facts(key, { network, node }, read) {
      const bytes = read.get(mtus, network);
      if (bytes === undefined) return;
      const parent = { table: 'Logical_Switch', row: network, column: 'ports' };
      yield row('Logical_Switch_Port', key, { name: key, external_ids: { mtu: String(bytes) } }, parent);
      yield mapEntry('Logical_Switch_Port', key, 'options', 'requested-chassis', node);
    },
  };
  engine.add(mtu);
  engine.add(port);
  return { ports, networks, mtus, engine };
}

const board = ({ engine }: { engine: Engine }) =>
  Object.fromEntries(
    [...engine.board.tables()].map((table) => [
      table,
      Object.fromEntries([...engine.board.rows(table)].map((desired) => [desired.key, desired.all()])),
    ]),
  );

const settled = { Logical_Switch: { a: { name: 'a' } } };

describe('what features say', () => {
  test('appears, changes and disappears with the objects it follows from', () => {
    const it = bed();
    it.networks.put('a', { mtu: 1400 });
    it.ports.put('p', { network: 'a', node: 'n1' });
    it.engine.runFor(1000);
    expect(board(it)).toEqual({
      ...settled,
      Logical_Switch_Port: {
        p: { name: 'p', external_ids: { mtu: '1400' }, options: { 'requested-chassis': 'n1' } },
      },
    });

    it.networks.put('a', { mtu: 9000 });
    it.ports.put('p', { network: 'a', node: 'n2' });
    it.engine.runFor(1000);
    expect(board(it)).toMatchObject({
      Logical_Switch_Port: { p: { external_ids: { mtu: '9000' }, options: { 'requested-chassis': 'n2' } } },
    });

    it.ports.remove('p');
    it.networks.remove('a');
    it.engine.runFor(1000);
    expect(board(it)).toEqual({ Logical_Switch: {}, Logical_Switch_Port: {} });
  });

  test('waits for a referent that comes later and goes when the referent goes', () => {
    const it = bed();
    it.ports.put('p', { network: 'a', node: 'n1' });
    it.engine.runFor(1000);
    expect(board(it)).toEqual({});
    it.networks.put('a', { mtu: 1400 });
    it.engine.runFor(1000);
    expect(board(it)).toHaveProperty('Logical_Switch_Port.p');
    it.networks.remove('a');
    it.engine.runFor(1000);
    expect(board(it)).toEqual({ Logical_Switch: {}, Logical_Switch_Port: {} });
  });

  test('is run again only where something it read has changed', () => {
    const it = bed();
    it.networks.put('a', { mtu: 1400 });
    it.networks.put('b', { mtu: 1400 });
    for (let i = 0; i < 50; i += 1) it.ports.put(`p${i}`, { network: i === 0 ? 'b' : 'a', node: 'n1' });
    it.engine.runFor(1000);
    const runs = () => it.engine.statistics().map(({ feature, runs }) => [feature, runs]);
    expect(runs()).toEqual([
      ['mtu', 2],
      ['port', 50],
    ]);
    it.networks.put('b', { mtu: 1300 });
    it.networks.put('a', { mtu: 1400 });
    it.engine.runFor(1000);
    expect(runs()).toEqual([
      ['mtu', 3],
      ['port', 51],
    ]);
  });

  test('is the same again after a recompute, of which nobody is told', () => {
    const it = bed();
    it.networks.put('a', { mtu: 1400 });
    it.ports.put('p', { network: 'a', node: 'n1' });
    it.engine.runFor(1000);
    const told: string[] = [];
    it.engine.board.listeners.add({
      rowChanged: (table, key) => told.push(`${table}/${key}`),
      cellChanged: (table, key) => told.push(`${table}/${key}`),
    });
    it.engine.board.problems.listeners.add({
      problemSaid: ({ sentence }) => told.push(sentence),
      problemUnsaid: ({ sentence }) => told.push(sentence),
    });
    it.engine.recompute();
    it.engine.runFor(1000);
    expect(told).toEqual([]);
    expect(it.engine.statistics().map(({ runs }) => runs)).toEqual([2, 2]);
  });
});

describe('several owners', () => {
  const bedOfVotes = () => {
    const votes = new Table<{ readonly value: string; readonly precedence: number }>('votes');
    const engine = new Engine();
    engine.add<{ readonly value: string; readonly precedence: number }>({
      name: 'votes',
      from: votes,
      *facts(_key, { value, precedence }) {
        yield row('T', 'r', {});
        yield mapEntry('T', 'r', 'options', 'chassis', value, precedence);
        yield setEntry('T', 'r', 'members', 'same');
      },
    });
    const chassis = () => engine.board.row('T', 'r')?.entry('options', 'chassis');
    return { votes, engine, chassis };
  };

  test('the highest precedence wins and the next one speaks again when it falls silent', () => {
    const { votes, engine, chassis } = bedOfVotes();
    votes.put('placed', { value: 'a', precedence: 0 });
    votes.put('migrating', { value: 'a,b', precedence: 1 });
    engine.runFor(1000);
    expect(chassis()).toBe('a,b');
    votes.remove('migrating');
    engine.runFor(1000);
    expect(chassis()).toBe('a');
  });

  test('of equal precedence the smaller value wins, whoever spoke first', () => {
    for (const order of [
      ['x', 'y'],
      ['y', 'x'],
    ]) {
      const { votes, engine, chassis } = bedOfVotes();
      for (const value of order) votes.put(value, { value, precedence: 0 });
      engine.runFor(1000);
      expect(chassis()).toBe('x');
    }
  });

  test('a set entry is there until the last owner is gone', () => {
    const { votes, engine } = bedOfVotes();
    votes.put('a', { value: 'a', precedence: 0 });
    votes.put('b', { value: 'b', precedence: 0 });
    engine.runFor(1000);
    votes.remove('a');
    engine.runFor(1000);
    expect(engine.board.row('T', 'r')?.column('members')).toEqual(['same']);
    votes.remove('b');
    engine.runFor(1000);
    expect(engine.board.row('T', 'r')).toBeUndefined();
  });
});

test('a feature that throws on one key keeps its last facts there and stops nothing else', () => {
  const items = new Table<number>('items');
  const failures: string[] = [];
  const engine = new Engine({
    onFailure: ({ feature, key, attempts }) => failures.push(`${feature} ${key} ${attempts}`),
  });
  engine.add<number>({
    name: 'inverse',
    from: items,
    *facts(key, value) {
      if (value === 0) throw new Error('division by zero');
      yield row('T', key, { value: 1 / value });
    },
  });
  items.put('a', 2);
  engine.runFor(1000);
  items.put('a', 0);
  items.put('b', 4);
  engine.runFor(1000);
  expect(failures).toEqual(['inverse a 1']);
  expect(engine.board.row('T', 'a')?.column('value')).toBe(0.5);
  expect(engine.board.row('T', 'b')?.column('value')).toBe(0.25);
  items.put('a', 1);
  engine.runFor(1000);
  expect(engine.board.row('T', 'a')?.column('value')).toBe(1);
});

test('a problem is on the board while a feature says so', () => {
  const items = new Table<string>('items');
  const engine = new Engine();
  engine.add<string>({
    name: 'picky',
    from: items,
    *facts(key, value) {
      if (value === 'bad') yield problem({ kind: 'Network', name: key, uid: key }, 'Ready', 'bad is not a CIDR');
    },
  });
  items.put('a', 'bad');
  engine.runFor(1000);
  expect([...engine.board.problems].map(({ sentence }) => sentence)).toEqual(['bad is not a CIDR']);
  items.put('a', 'good');
  engine.runFor(1000);
  expect([...engine.board.problems]).toEqual([]);
});

test('the owner of an object that a feature fails on is told, each failure is counted, and a retry mends it', () => {
  const items = new Table<string>('items');
  const failures: (readonly [key: string, attempts: number])[] = [];
  const engine = new Engine({ onFailure: ({ key, attempts }) => failures.push([key, attempts]) });
  let isBroken = true;
  engine.add<string>({
    name: 'fragile',
    from: items,
    object: (name) => ({ kind: 'Pod', namespace: 'default', name, uid: `uid-${name}` }),
    *facts(key) {
      if (isBroken && key === 'a') throw new Error('out of luck');
      yield row('T', key, {});
    },
  });
  const problems = () => [...engine.board.problems].map(({ object, sentence }) => [object.uid, sentence]);
  const told = 'Hawser failed on this object (fragile: out of luck) and goes on trying; please report it';
  items.put('a', 'a');
  items.put('b', 'b');
  engine.runFor(1000);
  engine.retry('fragile', 'a');
  engine.runFor(1000);
  expect(failures).toEqual([
    ['a', 1],
    ['a', 2],
  ]);
  expect(problems()).toEqual([['uid-a', told]]);
  expect([...engine.board.rows('T')].map(({ key }) => key)).toEqual(['b']);
  isBroken = false;
  engine.retry('fragile', 'a');
  engine.runFor(1000);
  expect(problems()).toEqual([]);
  expect([...engine.board.rows('T')].map(({ key }) => key)).toEqual(['b', 'a']);
  expect(engine.statistics()).toMatchObject([{ feature: 'fragile', runs: 4, facts: 2, failures: 2 }]);
});

test('a feature is not run on rows it is not for, and takes back what it said of one that becomes such', () => {
  const items = new Table<{ readonly isOurs: boolean }>('items');
  const engine = new Engine();
  engine.add<{ readonly isOurs: boolean }>({
    name: 'ours',
    from: items,
    isFor: ({ isOurs }) => isOurs,
    *facts(key) {
      yield row('T', key, {});
    },
  });
  const said = () => [...engine.board.rows('T')].map(({ key }) => key);
  items.put('a', { isOurs: true });
  items.put('b', { isOurs: false });
  engine.runFor(1000);
  expect([said(), engine.tickets, engine.statistics()[0]?.runs]).toEqual([['a'], 1, 1]);
  items.put('a', { isOurs: false });
  items.put('b', { isOurs: true });
  engine.runFor(1000);
  expect([said(), engine.tickets]).toEqual([['b'], 1]);
});

test('a row that is made when it is looked at is another when what it is about is, and not otherwise', () => {
  const items = new Table<{ readonly size: number; readonly colour: string }>('items');
  const looks = new Table<string>('looks');
  const form: RowForm<{ readonly size: number }> = {
    table: 'T',
    parent: { table: 'P', row: 'p', column: 'children' },
    columns: (key, { size }) => ({ name: key, size }),
    object: () => ({ kind: 'Item', name: 'a', uid: 'a' }),
  };
  const engine = new Engine();
  engine.add<{ readonly size: number; readonly colour: string }>({
    name: 'made',
    from: items,
    *facts(key, { size }, read) {
      read.get(looks, 'again');
      yield madeRow(form, key, { size });
    },
  });
  const changed: string[] = [];
  engine.board.listeners.add({
    rowChanged: (_table, key) => changed.push(key),
    cellChanged() {},
  });
  const changedBy = (change: () => void) => {
    changed.length = 0;
    change();
    engine.runFor(1000);
    return [...changed];
  };
  expect(changedBy(() => items.put('a', { size: 1, colour: 'red' }))).toEqual(['a']);
  expect(engine.board.row('T', 'a')?.all()).toEqual({ name: 'a', size: 1 });
  expect(engine.board.row('T', 'a')?.fact?.parent).toEqual(form.parent);
  expect(changedBy(() => items.put('a', { size: 1, colour: 'blue' }))).toEqual([]);
  expect(changedBy(() => looks.put('again', 'yes'))).toEqual([]);
  expect(changedBy(() => items.put('a', { size: 2, colour: 'blue' }))).toEqual(['a']);
  expect(engine.board.row('T', 'a')?.all()).toEqual({ name: 'a', size: 2 });
});

test('statistics say of each feature how often it ran, how much it says now and how long it took', () => {
  const items = new Table<number>('items');
  let now = 0;
  const engine = new Engine({ now: () => now });
  const counting = (name: string, milliseconds: number, table: string) =>
    engine.add<number>({
      name,
      from: items,
      *facts(key, count) {
        now += milliseconds;
        for (let i = 0; i < count; i += 1) yield row(table, `${key}${i}`, {});
      },
    });
  counting('slow', 3, 'Slow');
  counting('quick', 0.5, 'Quick');
  items.put('a', 2);
  items.put('b', 1);
  engine.runFor(1000);
  expect(engine.statistics()).toEqual([
    { feature: 'slow', runs: 2, facts: 3, milliseconds: 6, failures: 0 },
    { feature: 'quick', runs: 2, facts: 3, milliseconds: 1, failures: 0 },
  ]);
  items.put('a', 5);
  // What is taken back takes no time of the feature's.
  items.remove('b');
  engine.runFor(1000);
  expect(engine.statistics()).toEqual([
    { feature: 'slow', runs: 4, facts: 5, milliseconds: 9, failures: 0 },
    { feature: 'quick', runs: 4, facts: 5, milliseconds: 1.5, failures: 0 },
  ]);
});

test('no stretch of a long run is longer than 5 ms', async () => {
  const items = new Table<number>('items');
  let now = 0;
  const engine = new Engine({ now: () => now });
  engine.add<number>({
    name: 'slow',
    from: items,
    *facts() {
      now += 0.9;
      yield* [];
    },
  });
  for (let i = 0; i < 100; i += 1) items.put(String(i), i);
  const turns = [0];
  const turn = () => {
    turns.push(now);
    if (!engine.isIdle) setImmediate(turn);
  };
  setImmediate(turn);
  await engine.run();
  turns.push(now);
  expect(now).toBeCloseTo(90);
  expect(Math.max(...turns.slice(1).map((at, i) => at - (turns[i] ?? 0)))).toBeLessThanOrEqual(5);
});
