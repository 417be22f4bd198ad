import { describe, expect, test } from 'vitest';
import { Board } from '#controller/engine/board.ts';
import { mapEntry, row, setEntry } from '#controller/engine/facts.ts';
import { rowUuid } from '#controller/northbound/row-uuid.ts';
import { NorthboundWriter } from '#controller/northbound/writer.ts';
import type { Operation } from '#ovsdb/transaction/operation.ts';
import { MemoryNorthbound } from './memory-northbound.ts';
import { mark, sayPort } from './northbound-bed.ts';

const port = 'vm/default/db';
const portUuid = rowUuid('Logical_Switch_Port', port);

/** A switch, a port on it and a port group, written. */
async function writtenBed() {
  const board = new Board();
  const northbound = new MemoryNorthbound();
  const sleeps: (() => void)[] = [];
  let unsettled: Promise<void> | undefined;
  const writer = new NorthboundWriter(board, northbound, {
    sleep: () =>
      new Promise((resolve) => {
        if (unsettled === undefined) setImmediate(resolve);
        else sleeps.push(resolve);
      }),
    untilSettled: () => unsettled,
  });
  board.say('blue', row('Logical_Switch', 'blue', { name: 'blue', external_ids: mark('blue') }));
  board.say('web', row('Port_Group', 'web', { name: 'web', external_ids: mark('web') }));
  sayPort(board, 'blue', port);
  await writer.start();
  await writer.idle();
  const takeAway = () => {
    const fact = board.row('Logical_Switch_Port', port)?.fact;
    if (fact !== undefined) board.unsay(port, fact);
  };
  const members = () => northbound.row('Port_Group', rowUuid('Port_Group', 'web'))?.ports;
  /** `whileInFlight` happens when the next transaction has been sent and has not taken place yet. */
  const onSending = (whileInFlight: () => void) => {
    northbound.onTransaction = () => {
      northbound.onTransaction = () => {};
      whileInFlight();
    };
  };
  /** Something is being worked out until the function that this gives is called; sleeps last until they are ended. */
  const settling = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    unsettled = promise;
    return () => {
      unsettled = undefined;
      resolve();
    };
  };
  return { board, northbound, writer, takeAway, members, onSending, settling, sleeps };
}

async function nextTurns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

test('a port that is selected in the transaction that removes it is in its group when it comes back', async () => {
  const { board, writer, takeAway, members } = await writtenBed();
  board.say('membership', setEntry('Port_Group', 'web', 'ports', portUuid));
  takeAway();
  await writer.idle();
  expect(members()).toEqual([]);
  sayPort(board, 'blue', port);
  await writer.idle();
  expect(members()).toEqual([portUuid]);
});

test('a port that is selected as it goes, and no more when it has gone, is waited for by nobody', async () => {
  const { board, writer, takeAway, members, onSending } = await writtenBed();
  const membership = setEntry('Port_Group', 'web', 'ports', portUuid);
  board.say('membership', membership);
  takeAway();
  onSending(() => board.unsay('membership', membership));
  await writer.idle();
  expect(writer.waiting).toBe(0);
  sayPort(board, 'blue', port);
  await writer.idle();
  expect(members()).toEqual([]);
});

test('a port that is selected while it is on its way is in its group', async () => {
  const { board, writer, members, onSending } = await writtenBed();
  const other = 'vm/default/other';
  const otherUuid = rowUuid('Logical_Switch_Port', other);
  onSending(() => board.say('membership', setEntry('Port_Group', 'web', 'ports', otherUuid)));
  sayPort(board, 'blue', other);
  await writer.idle();
  expect(members()).toEqual([otherUuid]);
});

test('what is being worked out is written when it is whole', async () => {
  const { board, northbound, writer, takeAway, settling } = await writtenBed();
  const transactions: (readonly Operation[])[] = [];
  northbound.onTransaction = (operations) => {
    transactions.push(operations);
  };
  const settled = settling();
  takeAway();
  await nextTurns(10);
  expect(transactions).toEqual([]);
  sayPort(board, 'blue', port);
  settled();
  await writer.idle();
  expect(transactions).toEqual([]);
  expect(northbound.row('Logical_Switch_Port', portUuid)).toBeDefined();
});

test('what is worked out for long is written as far as it is known', async () => {
  const { northbound, writer, takeAway, settling, sleeps } = await writtenBed();
  settling();
  takeAway();
  while (sleeps.length === 0) await nextTurns(1);
  sleeps.shift()?.();
  await writer.idle();
  expect(northbound.row('Logical_Switch_Port', portUuid)).toBeUndefined();
});

describe('while a transaction is in flight the next is planned', () => {
  /** Twelve ports in a group, in batches of two, where `inFirst` happens while the first of them is in flight. */
  async function writtenWhile(inFirst: (northbound: MemoryNorthbound) => void) {
    const board = new Board();
    const northbound = new MemoryNorthbound();
    northbound.turns = 3;
    const sent: number[] = [];
    const writer = new NorthboundWriter(board, northbound, {
      sleep: () => new Promise(setImmediate),
      fullBatchRows: 2,
      onEvent: ({ kind, ...event }) => kind === 'committed' && 'rows' in event && sent.push(event.rows),
    });
    board.say('blue', row('Logical_Switch', 'blue', { name: 'blue', external_ids: mark('blue') }));
    board.say('web', row('Port_Group', 'web', { name: 'web', external_ids: mark('web') }));
    await writer.start();
    await writer.idle();
    const ports = Array.from({ length: 12 }, (_, i) => `vm/default/db${i}`);
    for (const name of ports) {
      sayPort(board, 'blue', name);
      board.say(`member ${name}`, setEntry('Port_Group', 'web', 'ports', rowUuid('Logical_Switch_Port', name)));
    }
    const transact = northbound.transact.bind(northbound);
    northbound.transact = (operations) => {
      northbound.transact = transact;
      const outcome = transact(operations);
      setImmediate(() => setImmediate(() => inFirst(northbound)));
      return outcome;
    };
    await writer.idle();
    const wanted = ports.map((name) => rowUuid('Logical_Switch_Port', name)).sort();
    const members = northbound.row('Port_Group', rowUuid('Port_Group', 'web'))?.ports;
    expect([...northbound.rows('Logical_Switch_Port').keys()].sort()).toEqual(wanted);
    expect(Array.isArray(members) ? members.toSorted() : members).toEqual(wanted);
    expect(writer.waiting).toBe(0);
    return sent;
  }

  test('and sent when that has taken place', async () => {
    expect((await writtenWhile(() => {})).slice(1).every((rows) => rows <= 6)).toBe(true);
  });

  test('and planned anew when that is refused', async () => {
    await writtenWhile((northbound) => northbound.faults.push('refused', 'refused', 'lostAfter'));
  });

  test('and planned anew when somebody takes away what it refers to', async () => {
    await writtenWhile((northbound) => {
      northbound.change([{ op: 'delete', table: 'Port_Group', where: { _uuid: rowUuid('Port_Group', 'web') } }]);
    });
    await writtenWhile((northbound) => {
      northbound.change([
        { op: 'delete', table: 'Logical_Switch', where: { _uuid: rowUuid('Logical_Switch', 'blue') } },
      ]);
    });
  });
});

test('one transaction is in flight at a time, and what comes meanwhile goes in the next, each row once', async () => {
  const { board, northbound, writer } = await writtenBed();
  let inFlight = 0;
  let most = 0;
  let sent = 0;
  const transact = northbound.transact.bind(northbound);
  northbound.transact = async (operations) => {
    inFlight += 1;
    sent += 1;
    most = Math.max(most, inFlight);
    await new Promise(setImmediate);
    const outcome = await transact(operations);
    await new Promise(setImmediate);
    inFlight -= 1;
    return outcome;
  };
  for (let i = 0; i < 50; i += 1) {
    board.say('chassis', mapEntry('Logical_Switch_Port', port, 'options', 'requested-chassis', `node-${i}`));
    await new Promise(setImmediate);
  }
  await writer.idle();
  expect(most).toBe(1);
  expect(sent).toBeLessThan(25);
  expect(northbound.row('Logical_Switch_Port', portUuid)?.options).toEqual(new Map([['requested-chassis', 'node-49']]));
});

test('a lone change is sent in the turn of the event loop in which it comes', async () => {
  const { board, northbound, writer } = await writtenBed();
  const transactions: (readonly Operation[])[] = [];
  northbound.onTransaction = (operations) => {
    transactions.push(operations);
  };
  let isNextTurn = false;
  setImmediate(() => {
    isNextTurn = true;
  });
  board.say('a', mapEntry('Logical_Switch_Port', port, 'options', 'requested-chassis', 'node-a'));
  board.say('b', mapEntry('Logical_Switch_Port', port, 'options', 'hostname', 'db'));
  await writer.idle();
  expect(transactions).toHaveLength(1);
  expect(isNextTurn).toBe(false);
});

describe('a rush', () => {
  /** A rush has begun, in which a port waits for company, and nobody ends the wait; two more fill the batch. */
  async function rushBed() {
    const board = new Board();
    const northbound = new MemoryNorthbound();
    northbound.turns = 1;
    const waits: number[] = [];
    const writer = new NorthboundWriter(board, northbound, {
      now: () => 0,
      sleep: (milliseconds) => {
        waits.push(milliseconds);
        return new Promise(() => {});
      },
      fullBatchRows: 3,
    });
    board.say('blue', row('Logical_Switch', 'blue', { name: 'blue', external_ids: mark('blue') }));
    await writer.start();
    await nextTurns(1);
    sayPort(board, 'blue', 'pod/default/a');
    await nextTurns(5);
    expect(waits).toEqual([20]);
    expect(northbound.rows('Logical_Switch_Port').size).toBe(0);
    return { board, northbound, writer, waits };
  }

  test('is gathered, and goes as soon as it fills a batch', async () => {
    const { board, northbound, writer } = await rushBed();
    sayPort(board, 'blue', 'pod/default/b');
    sayPort(board, 'blue', 'pod/default/c');
    await writer.idle();
    expect(northbound.rows('Logical_Switch_Port').size).toBe(3);
  });

  test('is not waited for by what a full batch has left', async () => {
    const { board, northbound, writer, waits } = await rushBed();
    for (const name of ['b', 'c', 'd', 'e']) sayPort(board, 'blue', `pod/default/${name}`);
    await writer.idle();
    expect(northbound.rows('Logical_Switch_Port').size).toBe(5);
    expect(waits).toEqual([20]);
  });
});

test('of a set and a map only the entries that change are written', async () => {
  const { board, northbound, writer } = await writtenBed();
  for (let i = 0; i < 100; i += 1) {
    const other = `pod/default/p${i}`;
    sayPort(board, 'blue', other);
    board.say(other, setEntry('Port_Group', 'web', 'ports', rowUuid('Logical_Switch_Port', other)));
  }
  board.say('a', mapEntry('Logical_Switch_Port', port, 'options', 'requested-chassis', 'node-a'));
  board.say('b', mapEntry('Logical_Switch_Port', port, 'options', 'hostname', 'db'));
  await writer.idle();
  const sent: Operation[] = [];
  northbound.onTransaction = (operations) => sent.push(...operations);
  board.say('web', setEntry('Port_Group', 'web', 'ports', portUuid));
  board.say('a', mapEntry('Logical_Switch_Port', port, 'options', 'requested-chassis', 'node-b'));
  await writer.idle();
  expect(sent).toEqual([
    {
      op: 'mutate',
      table: 'Logical_Switch_Port',
      where: { _uuid: portUuid },
      mutations: [
        ['options', 'delete', ['requested-chassis']],
        ['options', 'insert', { 'requested-chassis': 'node-b' }],
      ],
    },
    {
      op: 'mutate',
      table: 'Port_Group',
      where: { _uuid: rowUuid('Port_Group', 'web') },
      mutations: [['ports', 'insert', [portUuid]]],
    },
  ]);
});

test('a set that may not be empty gets its new entries before it loses the old ones', async () => {
  const board = new Board();
  const northbound = new MemoryNorthbound();
  const writer = new NorthboundWriter(board, northbound, { sleep: () => new Promise(setImmediate) });
  const say = (networks: readonly string[]) => {
    const parent = { table: 'Logical_Router', row: 'blue', column: 'ports' };
    const columns = { name: 'gateway', mac: '0a:58:0a:00:00:01', networks, external_ids: mark('blue') };
    const fact = row('Logical_Router_Port', 'gateway', columns, parent);
    board.say('gateway', fact);
    return fact;
  };
  board.say('blue', row('Logical_Router', 'blue', { name: 'blue', external_ids: mark('blue') }));
  const before = say(['10.0.0.1/16']);
  await writer.start();
  board.unsay('gateway', before);
  say(['10.0.255.254/16']);
  await writer.idle();
  expect(northbound.row('Logical_Router_Port', rowUuid('Logical_Router_Port', 'gateway'))?.networks).toEqual([
    '10.0.255.254/16',
  ]);
  expect(writer.parked).toBe(0);
});

test('a refused row is told to whom it belongs, tried again ever more seldom, and told no more once it lands', async () => {
  const board = new Board();
  const northbound = new MemoryNorthbound();
  const waits: number[] = [];
  let wake = () => {};
  const sleep = (milliseconds: number) => {
    waits.push(milliseconds);
    return new Promise<void>((resolve) => {
      wake = resolve;
    });
  };
  const writer = new NorthboundWriter(board, northbound, { sleep });
  const theirs = rowUuid('Logical_Switch_Port', 'theirs');
  northbound.change([
    { op: 'insert', table: 'Logical_Switch_Port', uuid: theirs, row: { name: port } },
    {
      op: 'insert',
      table: 'Logical_Switch',
      uuid: rowUuid('Logical_Switch', 'theirs'),
      row: { name: 'theirs', ports: [theirs] },
    },
  ]);
  const object = { kind: 'VirtualMachine', namespace: 'default', name: 'db', uid: 'vm-db' };
  const parent = { table: 'Logical_Switch', row: 'blue', column: 'ports' };
  board.say('blue', row('Logical_Switch', 'blue', { name: 'blue', external_ids: mark('blue') }));
  board.say(port, row('Logical_Switch_Port', port, { name: port, external_ids: mark(port) }, parent, object));
  await writer.start();
  await writer.idle();
  const told = {
    object,
    condition: 'Refused',
    sentence: expect.stringContaining('constraint violation'),
  };
  for (const milliseconds of [1000, 2000, 4000]) {
    expect(waits.at(-1)).toBe(milliseconds);
    expect([...board.problems]).toEqual([told]);
    expect(northbound.rows('Logical_Switch').size).toBe(2);
    wake();
    await new Promise(setImmediate);
    await writer.idle();
  }
  northbound.change([{ op: 'delete', table: 'Logical_Switch', where: { _uuid: rowUuid('Logical_Switch', 'theirs') } }]);
  wake();
  await new Promise(setImmediate);
  await writer.idle();
  expect(northbound.row('Logical_Switch_Port', portUuid)?.name).toBe(port);
  expect([...board.problems]).toEqual([]);
});

test('groups with many members are looked through a few at a time', async () => {
  const board = new Board();
  const northbound = new MemoryNorthbound();
  const rows: number[] = [];
  const writer = new NorthboundWriter(board, northbound, {
    sleep: () => new Promise(setImmediate),
    fullBatchRows: 2,
    onEvent: ({ kind, ...event }) => kind === 'committed' && 'rows' in event && rows.push(event.rows),
  });
  for (const group of ['web', 'db', 'mail']) {
    board.say(group, row('Port_Group', group, { name: group, external_ids: mark(group) }));
    for (let i = 0; i < 13; i += 1) {
      board.say(
        `${group} ${i}`,
        setEntry('Port_Group', group, 'ports', rowUuid('Logical_Switch_Port', `pod/default/${i}`)),
      );
    }
  }
  await writer.start();
  await writer.idle();
  expect(rows).toEqual([1, 1, 1]);
});

test('a batch ends with what could be planned in its time, and each port still comes with its place and its group', async () => {
  const board = new Board();
  const northbound = new MemoryNorthbound();
  let clock = 0;
  const writer = new NorthboundWriter(board, northbound, {
    sleep: () => new Promise(setImmediate),
    // A machine that is so slow that every look at the clock costs it two milliseconds.
    now: () => {
      clock += 2;
      return clock;
    },
  });
  board.say('blue', row('Logical_Switch', 'blue', { name: 'blue', external_ids: mark('blue') }));
  board.say('web', row('Port_Group', 'web', { name: 'web', external_ids: mark('web') }));
  const ports = Array.from({ length: 300 }, (_, i) => `pod/default/p${i}`);
  for (const name of ports) {
    sayPort(board, 'blue', name);
    board.say(name, setEntry('Port_Group', 'web', 'ports', rowUuid('Logical_Switch_Port', name)));
  }
  const transactions: number[] = [];
  northbound.onTransaction = (operations) => {
    const inserted = operations.flatMap((one) =>
      one.op === 'insert' && one.table === 'Logical_Switch_Port' ? [one.uuid] : [],
    );
    for (const table of ['Logical_Switch', 'Port_Group']) {
      const members = operations.flatMap((one) =>
        one.op === 'mutate' && one.table === table ? one.mutations.flatMap(([, , value]) => value) : [],
      );
      expect(members.toSorted()).toEqual(inserted.toSorted());
    }
    transactions.push(inserted.length);
  };
  await writer.start();
  await writer.idle();
  expect(northbound.rows('Logical_Switch_Port').size).toBe(ports.length);
  expect(transactions.length).toBeGreaterThan(3);
  expect(writer.waiting).toBe(0);
});
