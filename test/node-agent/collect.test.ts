import { expect, test } from 'vitest';
import { leftoverPodPorts, leftoverTaps, parseDevices } from '#node-agent/collect.ts';
import { tapDevice } from '#node-agent/device-names.ts';
import type { PluggedPort } from '#node-agent/plug-operations.ts';
import type { PortRequest } from '#node-agent/port-request.ts';

const request = (name: string): PortRequest => ({
  logicalPort: `vm/default/${name}`,
  owner: `vm/default/${name}`,
  ownerUid: name,
  attach: 'tap',
  mac: '0a:58:0a:f4:00:05',
  addresses: [],
  mtuBytes: 1400,
  routes: [],
  pods: new Map(),
});
const tapOf = (name: string) => tapDevice(name, `vm/default/${name}`);
const tapPort = (name: string): PluggedPort => ({
  device: tapOf(name),
  logicalPort: `vm/default/${name}`,
  mac: '0a:58:0a:f4:00:05',
  attach: 'tap',
  portUuid: `port of ${name}`,
});
const podPort = (device: string): PluggedPort => ({
  device,
  logicalPort: `pod/default/${device}`,
  mac: '0a:58:0a:f4:00:06',
  attach: 'veth',
  sandbox: { podUid: 'p', containerId: 'c', interfaceName: 'eth0', network: 'hawser' },
  portUuid: `port of ${device}`,
});
const closed = (name: string) => ({ name, isOpen: false });
const open = (name: string) => ({ name, isOpen: true });

test("a pod's port goes when its device is gone, and only then: nobody asks whether it is requested", () => {
  const found = leftoverPodPorts([podPort('hp1'), podPort('hp2'), tapPort('db')], [closed('hp1'), closed('eth0')]);
  expect(found.ports.map(({ device }) => device)).toEqual(['hp2']);
  expect(found.devices).toEqual([]);
});

test('a tap goes, with its port, when it is neither requested nor open', () => {
  const names = ['requested', 'running', 'gone', 'half-made'];
  const devices = [
    closed(tapOf('requested')),
    open(tapOf('running')),
    closed(tapOf('gone')),
    closed(tapOf('half-made')),
  ];
  const plugged = [...names.slice(0, 3).map(tapPort), podPort('hp1')];
  const found = leftoverTaps(plugged, devices, [request('requested')]);
  expect(found.ports.map(({ portUuid }) => portUuid)).toEqual(['port of gone']);
  expect(found.devices).toEqual([tapOf('gone'), tapOf('half-made')]);
});

test("a tap that was lost in a reboot is made again by whoever needs it, so its port goes once it isn't requested", () => {
  expect(leftoverTaps([tapPort('db')], [], [request('db')]).ports).toEqual([]);
  expect(leftoverTaps([tapPort('db')], [], []).ports.map(({ portUuid }) => portUuid)).toEqual(['port of db']);
});

test("devices with other names are nobody's business", () => {
  expect(
    leftoverTaps([], [closed('tap0'), closed('ht-mine'), closed('hp000000000001'), closed('br-int')], []).devices,
  ).toEqual([]);
});

test('whether a tap is open is read from the queues that are attached to it', () => {
  const shown = JSON.stringify([
    { ifname: 'lo' },
    { ifname: 'ht1', linkinfo: { info_kind: 'tun', info_data: { type: 'tap', numqueues: 0 } } },
    { ifname: 'ht2', linkinfo: { info_kind: 'tun', info_data: { type: 'tap', numqueues: 2 } } },
  ]);
  expect(parseDevices(shown)).toEqual([closed('lo'), closed('ht1'), open('ht2')]);
});
