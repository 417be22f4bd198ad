import { expect, test } from 'vitest';
import { IntegrationBridge, type InterfaceRow, type Transact } from '#node-agent/integration-bridge.ts';
import { marksOf, type SwitchPort } from '#node-agent/switch-port.ts';

const port: SwitchPort = {
  device: 'hp000000000001',
  logicalPort: 'pod/default/web-0',
  mac: '0a:58:0a:f4:00:05',
  attach: 'veth',
  sandbox: { podUid: 'p1', containerId: 'c1', interfaceName: 'eth0', network: 'hawser' },
};
const row = (externalIds: Readonly<Record<string, string>> = {}, error?: string): InterfaceRow => ({
  name: port.device,
  external_ids: new Map(Object.entries({ ...marksOf(port), ...externalIds })),
  error,
});
const never = new AbortController().signal;

function bridgeWith(transact: Transact = async () => ({ status: 'committed', results: [] })) {
  const bridge = new IntegrationBridge('br-int', transact);
  bridge.putBridge('physical', { name: 'br-phys' });
  bridge.putBridge('integration', { name: 'br-int' });
  return bridge;
}

test('only interfaces with our marks are seen', () => {
  const bridge = bridgeWith();
  bridge.putPort('P1', undefined, { name: port.device });
  bridge.putInterface('I1', row());
  bridge.putPort('P2', undefined, { name: 'theirs' });
  bridge.putInterface('I2', { name: 'theirs', external_ids: new Map([['iface-id', 'other']]), error: undefined });
  expect([...bridge.ports()]).toEqual([{ ...port, portUuid: 'P1' }]);
});

test('who waits for ovn-installed is answered by the event', async () => {
  const bridge = bridgeWith();
  bridge.putInterface('I1', row());
  const waiting = bridge.installed(port.device, never);
  expect(bridge.isInstalled(port.device)).toBe(false);
  bridge.putInterface('I1', row({ 'iface-status': 'active' }));
  bridge.putInterface('I1', row({ 'ovn-installed': 'true' }));
  await waiting;
  expect(bridge.isInstalled(port.device)).toBe(true);
});

test('who waits for a port that is taken off the bridge is told so', async () => {
  const bridge = bridgeWith();
  bridge.putInterface('I1', row());
  const waiting = bridge.installed(port.device, never);
  bridge.putInterface('I1', undefined);
  await expect(waiting).rejects.toThrow('newer sandbox');
});

test('who waits for a device that ovs-vswitchd cannot open is told why', async () => {
  const bridge = bridgeWith();
  bridge.putInterface('I1', row());
  const waiting = bridge.installed(port.device, never);
  bridge.putInterface('I1', row({}, 'could not open network device'));
  await expect(waiting).rejects.toThrow('could not open network device');
});

test('who gives up waiting gets the reason', async () => {
  const bridge = bridgeWith();
  bridge.putInterface('I1', row());
  const abort = new AbortController();
  const waiting = bridge.installed(port.device, abort.signal);
  abort.abort(new Error('out of time'));
  await expect(waiting).rejects.toThrow('out of time');
});

test('a device that was on the bridge is plugged anew only when ovs-vswitchd has let go of it', async () => {
  const sent: string[][] = [];
  const bridge = bridgeWith(async (operations) => {
    sent.push(operations.map((operation) => operation.op));
    return {
      status: 'committed',
      results: operations.map(({ op }) => (op === 'select' ? { rows: [{ next_cfg: 8 }] } : {})),
    };
  });
  bridge.putRoot('root', { cur_cfg: 7 });
  bridge.putPort('P1', undefined, { name: port.device });
  bridge.putInterface('I1', row());
  const plugging = bridge.plug(port);
  await expect.poll(() => sent).toEqual([['mutate', 'mutate', 'select']]);
  bridge.putInterface('I1', undefined);
  bridge.putPort('P1', { name: port.device }, undefined);
  bridge.putRoot('root', { cur_cfg: 7 });
  await Promise.resolve();
  expect(sent).toHaveLength(1);
  bridge.putRoot('root', { cur_cfg: 8 });
  await plugging;
  expect(sent[1]).toEqual(['insert', 'insert', 'mutate']);
});

test('a refusal of the database is a sentence', async () => {
  const error = { kind: 'constraintViolation', message: 'no', error: 'no', details: '', operationIndex: 0 } as const;
  await expect(bridgeWith(async () => ({ status: 'refused', error })).plug(port)).rejects.toThrow('refused: no');
  const cause = new Error('closed');
  await expect(bridgeWith(async () => ({ status: 'outcomeUnknown', cause })).plug(port)).rejects.toThrow(
    'broke: closed',
  );
});

test('without a bridge nothing is sent', async () => {
  const bridge = bridgeWith(() => Promise.reject(new Error('sent')));
  bridge.putBridge('integration', undefined);
  await expect(bridge.plug(port)).rejects.toThrow('this node has no bridge br-int');
});

test('unplugging what is not there sends nothing', async () => {
  await bridgeWith(() => Promise.reject(new Error('sent'))).unplug(() => true);
});
