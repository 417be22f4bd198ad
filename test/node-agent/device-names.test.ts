import { expect, test } from 'vitest';
import { podHostDevice, podHostMac, tapDevice } from '#node-agent/device-names.ts';

test('names fit Linux and are the same for every retry of one ADD', () => {
  const name = podHostDevice('0f3b', 'eth0');
  expect(name).toMatch(/^hp[0-9a-f]{12}$/);
  expect(podHostDevice('0f3b', 'eth0')).toBe(name);
  expect(podHostDevice('0f3c', 'eth0')).not.toBe(name);
  expect(podHostDevice('0f3b', 'eth1')).not.toBe(name);
});

test("the node's end has a locally administered unicast MAC", () => {
  expect(podHostMac('0f3b', 'eth0')).toMatch(/^0a(:[0-9a-f]{2}){5}$/);
});

test('a tap is named for VM UID and NIC alone, so that source and target agree', () => {
  const name = tapDevice('b1d3', 'vm/default/db');
  expect(name).toMatch(/^ht[0-9a-f]{12}$/);
  expect(tapDevice('b1d3', 'vm/default/db')).toBe(name);
  expect(tapDevice('b1d3', 'vm/default/db/blue')).not.toBe(name);
  expect(tapDevice('b1d4', 'vm/default/db')).not.toBe(name);
});
