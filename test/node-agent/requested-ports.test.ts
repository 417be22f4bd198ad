import { expect, test } from 'vitest';
import type { PortBindingRow } from '#node-agent/port-request.ts';
import { RequestedPorts } from '#node-agent/requested-ports.ts';

const row = (logicalPort: string, externalIds: Readonly<Record<string, string>> = {}): PortBindingRow => ({
  logical_port: logicalPort,
  mac: ['0a:58:0a:f4:00:05 10.244.0.5'],
  external_ids: new Map(
    Object.entries({
      'hawser:owner': logicalPort,
      'hawser:uid': 'u1',
      'hawser:attach': 'veth',
      'hawser:mtu': '1400',
      'hawser:pod:p1': 'eth0',
      ...externalIds,
    }),
  ),
});
const never = new AbortController().signal;

test('who waits is answered when the row comes, and at once when it is there', async () => {
  const ports = new RequestedPorts();
  const forPod = ports.waitForPod('p1', 'eth0', never);
  const byName = ports.wait('pod/default/web-0', never);
  ports.put('row1', row('pod/default/web-0'));
  expect((await forPod).logicalPort).toBe('pod/default/web-0');
  expect((await byName).logicalPort).toBe('pod/default/web-0');
  expect((await ports.waitForPod('p1', 'eth0', never)).logicalPort).toBe('pod/default/web-0');
});

test('a port is for the pods and interfaces its row names now, and for no others', () => {
  const ports = new RequestedPorts();
  ports.put('row1', row('vm/default/db'));
  expect(ports.forPod('p1', 'eth1')).toBeUndefined();
  ports.put('row1', row('vm/default/db', { 'hawser:pod:p1': 'net1', 'hawser:pod:p2': 'eth0' }));
  expect(ports.forPod('p1', 'eth0')).toBeUndefined();
  expect(ports.forPod('p1', 'net1')?.logicalPort).toBe('vm/default/db');
  expect(ports.forPod('p2', 'eth0')?.logicalPort).toBe('vm/default/db');
  ports.put('row1', undefined);
  expect(ports.forPod('p2', 'eth0')).toBeUndefined();
  expect(ports.get('vm/default/db')).toBeUndefined();
});

test('a port that is deleted and made again is found in whichever order the two rows arrive', () => {
  const ports = new RequestedPorts();
  ports.put('old', row('vm/default/db'));
  ports.put('new', row('vm/default/db', { 'hawser:uid': 'u2' }));
  ports.put('old', undefined);
  expect(ports.get('vm/default/db')?.ownerUid).toBe('u2');
  expect(ports.forPod('p1', 'eth0')?.ownerUid).toBe('u2');
});

test('a row that cannot be served is listed as a problem until it is put right, and wakes nobody', async () => {
  const ports = new RequestedPorts();
  const waiting = ports.waitForPod('p1', 'eth0', never);
  ports.put('row1', row('pod/default/web-0', { 'hawser:mtu': 'big' }));
  expect([...ports.problems()]).toEqual([
    {
      logicalPort: 'pod/default/web-0',
      pods: new Map([['p1', 'eth0']]),
      sentence: 'hawser:mtu is "big", not a number of bytes from 68 to 65535',
    },
  ]);
  ports.put('row1', row('pod/default/web-0'));
  expect([...ports.problems()]).toEqual([]);
  expect((await waiting).mtuBytes).toBe(1400);
});

test('who gives up waiting gets the reason, and is not answered later', async () => {
  const ports = new RequestedPorts();
  const abort = new AbortController();
  const waiting = ports.waitForPod('p1', 'eth0', abort.signal);
  abort.abort(new Error('the runtime gave up'));
  await expect(waiting).rejects.toThrow('the runtime gave up');
  await expect(ports.wait('pod/default/web-0', abort.signal)).rejects.toThrow('the runtime gave up');
  ports.put('row1', row('pod/default/web-0'));
  expect(ports.get('pod/default/web-0')).toBeDefined();
});

test('clearing forgets every port', () => {
  const ports = new RequestedPorts();
  ports.put('row1', row('pod/default/web-0'));
  ports.put('row2', row('pod/default/web-1', { 'hawser:mtu': '' }));
  ports.clear();
  expect([...ports.all(), ...ports.problems()]).toEqual([]);
});
