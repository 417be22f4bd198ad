import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type PortBindingRow, parsePortBinding } from '#node-agent/port-request.ts';
import { marksOf } from '#node-agent/switch-port.ts';

// docs/bus.md is the contract between controller and node agent. Its tables are read here, so that the page stays true.

const page = readFileSync(new URL('../docs/bus.md', import.meta.url), 'utf8');

/** The rows of the first table under a heading, as cells without their backquotes. */
function tableUnder(heading: string): readonly (readonly string[])[] {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const unquoted = (cell = '') => cell.replaceAll('`', '');

/** Key → example, as the page gives them; `<pod UID>` stands for any. */
const examples = new Map(
  tableUnder('external_ids').map((cells) => [unquoted(cells[0]).replace('<pod UID>', 'p1'), unquoted(cells.at(-1))]),
);

const addresses = ['0a:58:0a:f4:00:05 10.244.0.5 fd00:10:244::5'];
const rowOf = (ids: ReadonlyMap<string, string>, mac = addresses): PortBindingRow => ({
  logical_port: 'vm/default/db',
  mac,
  external_ids: ids,
});

test('the node agent reads the example of the page', () => {
  expect(parsePortBinding(rowOf(examples))).toEqual({
    kind: 'request',
    request: {
      logicalPort: 'vm/default/db',
      owner: 'vm/default/db',
      ownerUid: '5f0c…',
      attach: 'managedTap',
      mac: '0a:58:0a:f4:00:05',
      addresses: [
        { address: '10.244.0.5', family: 4, prefixLength: 16, gateway: '10.244.0.1' },
        { address: 'fd00:10:244::5', family: 6, prefixLength: 64, gateway: 'fd00:10:244::1' },
      ],
      mtuBytes: 1400,
      routes: [{ destination: '10.9.0.0/16', nextHop: '10.244.0.7' }],
      pods: new Map([['p1', 'eth0']]),
      guest: {
        hostName: 'db',
        network: { leaseSeconds: 600 },
        own: { mtu: 1300 },
        segment: 'net/dhcp',
        place: { kind: 'localport', mac: '0a:1b:2c:3d:4e:5f', routerMac: '0a:58:0a:f4:00:01' },
      },
    },
  });
});

test.each([...examples.keys()])('the node agent uses %s', (key) => {
  const without = new Map(examples);
  without.delete(key);
  // What the guest will have counts only until it has it.
  const mac = key === 'hawser:addresses' ? [] : addresses;
  expect(parsePortBinding(rowOf(without, mac))).not.toEqual(parsePortBinding(rowOf(examples, mac)));
});

test('the node agent marks its interfaces with the keys of the page and no others', () => {
  const written = marksOf({
    device: 'hp000000000001',
    logicalPort: 'vm/default/db',
    mac: '0a:58:0a:f4:00:05',
    attach: 'managedTap',
    sandbox: { podUid: 'p1', containerId: 'c1', interfaceName: 'eth0', network: 'hawser' },
  });
  const listed = tableUnder('What the agent writes').flatMap(([keys = '']) =>
    keys.split(',').map((key) => unquoted(key.trim())),
  );
  expect(Object.keys(written).toSorted()).toEqual(listed.toSorted());
});
