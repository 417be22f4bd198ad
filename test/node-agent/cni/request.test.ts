import { expect, test } from 'vitest';
import { CniError } from '#node-agent/cni/error.ts';
import { type PluginCall, parseRequest } from '#node-agent/cni/request.ts';

const env = {
  CNI_COMMAND: 'ADD',
  CNI_CONTAINERID: '0f3b',
  CNI_NETNS: '/run/netns/cni-1',
  CNI_IFNAME: 'eth0',
  CNI_ARGS:
    'IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0;K8S_POD_INFRA_CONTAINER_ID=0f3b;K8S_POD_UID=9c1e',
};
const conf = { cniVersion: '1.1.0', name: 'hawser', type: 'hawser' };

const call = (changes: Readonly<Record<string, string>> = {}, confChanges: object = {}): PluginCall => ({
  env: { ...env, ...changes },
  stdin: JSON.stringify({ ...conf, ...confChanges }),
});

const refusal = (work: PluginCall) => {
  try {
    return parseRequest(work);
  } catch (error) {
    return error instanceof CniError ? [error.code, error.message] : error;
  }
};

test('ADD is read whole', () => {
  expect(parseRequest(call({}, { dns: { nameservers: ['10.96.0.10'] } }))).toEqual({
    verb: 'ADD',
    cniVersion: '1.1.0',
    network: 'hawser',
    containerId: '0f3b',
    interfaceName: 'eth0',
    netns: '/run/netns/cni-1',
    pod: { namespace: 'default', name: 'web-0', uid: '9c1e' },
    dns: { nameservers: ['10.96.0.10'] },
    prevResult: undefined,
  });
});

test('DEL needs neither the network namespace nor the pod, which may both be gone', () => {
  expect(parseRequest(call({ CNI_COMMAND: 'DEL', CNI_NETNS: '', CNI_ARGS: '' }))).toEqual({
    verb: 'DEL',
    cniVersion: '1.1.0',
    network: 'hawser',
    containerId: '0f3b',
    interfaceName: 'eth0',
    netns: undefined,
  });
});

test.each(['cni.dev/valid-attachments', 'cni.dev/attachments'])('GC takes the valid attachments from %s', (key) => {
  const gc = parseRequest(call({ CNI_COMMAND: 'GC' }, { [key]: [{ containerID: '0f3b', ifname: 'eth0' }] }));
  expect(gc).toEqual({
    verb: 'GC',
    cniVersion: '1.1.0',
    network: 'hawser',
    attachments: [{ containerId: '0f3b', interfaceName: 'eth0' }],
  });
});

test('GC without a list is refused, never taken as an empty one', () => {
  expect(refusal(call({ CNI_COMMAND: 'GC' }))).toEqual([7, expect.stringContaining('cni.dev/valid-attachments')]);
});

test.each(['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'])('version %s is spoken', (cniVersion) => {
  expect(parseRequest(call({}, { cniVersion }))).toMatchObject({ verb: 'ADD', cniVersion });
});

test.each([
  ['a version that is not spoken', call({}, { cniVersion: '2.0.0' }), 1, 'cniVersion 2.0.0'],
  ['a configuration without a version', call({}, { cniVersion: undefined }), 1, 'cniVersion 0.2.0'],
  ['CHECK before it was specified', call({ CNI_COMMAND: 'CHECK' }, { cniVersion: '0.3.1' }), 1, 'CHECK'],
  ['GC before it was specified', call({ CNI_COMMAND: 'GC' }, { cniVersion: '1.0.0' }), 1, 'GC'],
  ['STATUS before it was specified', call({ CNI_COMMAND: 'STATUS' }, { cniVersion: '1.0.0' }), 1, 'STATUS'],
  ['an unknown verb', call({ CNI_COMMAND: 'PLUG' }), 4, 'CNI_COMMAND'],
  ['no container', call({ CNI_CONTAINERID: '' }), 4, 'CNI_CONTAINERID'],
  ['no network namespace', call({ CNI_NETNS: '' }), 4, 'CNI_NETNS'],
  ['a network namespace that is two words', call({ CNI_NETNS: '/run/netns/a mtu 9' }), 4, 'CNI_NETNS'],
  ['no interface name', call({ CNI_IFNAME: '' }), 4, 'CNI_IFNAME'],
  ['an interface name of 16 characters', call({ CNI_IFNAME: 'abcdefghijklmnop' }), 4, 'CNI_IFNAME'],
  ['an interface name that is a command', call({ CNI_IFNAME: '$(reboot)' }), 4, 'CNI_IFNAME'],
  ['a pod without a UID', call({ CNI_ARGS: 'K8S_POD_NAME=web-0' }), 4, 'CNI_ARGS'],
  ['a configuration that is not JSON', { env, stdin: '{' }, 6, 'not JSON'],
  ['an empty standard input', { env, stdin: '' }, 6, 'not JSON'],
  ['a network without a name', call({}, { name: undefined }), 7, 'name'],
])('%s is refused with the code of the specification', (_, work, code, word) => {
  expect(refusal(work)).toEqual([code, expect.stringContaining(word)]);
});
