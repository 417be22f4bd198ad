import { expect, test } from 'vitest';
import { ConfigError, parseConfig, readConfig } from '#node-agent/config.ts';

const least = { nodeName: 'node-a', southbound: ['tcp:10.0.0.1:6642'], encap: { ip: '172.16.0.11' } };
const parse = (changes: object) => parseConfig(JSON.stringify({ ...least, ...changes }), 'agent.json');

test('node name, southbound database and tunnel address are enough', () => {
  expect(parse({})).toEqual({
    ...least,
    socket: '/run/hawser/agent.sock',
    openVswitch: ['unix:/run/openvswitch/db.sock'],
    integrationBridge: 'br-int',
    managementPort: 'hawser0',
    physicalNetworks: [],
    guestLinks: [],
    datapathType: 'system',
    encap: { type: 'geneve', ip: '172.16.0.11' },
    monitorAll: true,
    southboundProbeMilliseconds: 60_000,
    portTimeoutSeconds: 60,
    installTimeoutSeconds: 30,
    tapOwner: 107,
    logLevel: 'info',
  });
});

test.each([
  ['a remote without a scheme', { southbound: ['10.0.0.1:6642'] }, 'southbound'],
  ['no remote', { southbound: [] }, 'southbound'],
  ['a tunnel address that is none', { encap: { ip: 'eth0' } }, 'encap.ip'],
  ['a misspelt key', { datapath: 'netdev' }, 'datapath'],
])('%s is refused by name', (_, changes, word) => {
  expect(() => parse(changes)).toThrow(
    expect.objectContaining({ name: 'ConfigError', message: expect.stringContaining(word) }),
  );
});

test('what is not JSON and what is not there is refused with the path', async () => {
  expect(() => parseConfig('nodeName: node-a', 'agent.json')).toThrow(ConfigError);
  await expect(readConfig('/nonexistent/agent.json')).rejects.toThrow('cannot read /nonexistent/agent.json');
});
