import { expect, test } from 'vitest';
import { CommandFailed, type Run } from '#node-agent/commands.ts';
import type { PortRequest } from '#node-agent/port-request.ts';
import { makeScript, makeVethPair } from '#node-agent/ports/veth-pair.ts';

const pair = {
  hostDevice: 'hp0123456789ab',
  hostMac: '0a:01:02:03:04:05',
  netns: '/run/netns/cni-1',
  interfaceName: 'eth0',
};
const port: PortRequest = {
  logicalPort: 'pod/default/web-0',
  owner: 'pod/default/web-0',
  ownerUid: '9c1e',
  attach: 'veth',
  mac: '0a:58:0a:f4:00:05',
  addresses: [],
  mtuBytes: 1400,
  routes: [],
  pods: new Map(),
};

const nic = { ipv6: { accept_ra: 0 }, ip: ['address add 10.244.0.5/16 dev eth0', 'link set dev eth0 up'] };

test("the node's end is up and mute, and everything is set before the pod's end comes up", () => {
  expect(makeScript(pair, port, nic, { checksumOffload: false }).split('\n')).toEqual([
    'set -e',
    "ip -batch - << 'END' || exit 17",
    'link add name hp0123456789ab address 0a:01:02:03:04:05 mtu 1400 type veth' +
      ' peer name eth0 address 0a:58:0a:f4:00:05 mtu 1400 netns /run/netns/cni-1',
    'link set dev hp0123456789ab addrgenmode none',
    'link set dev hp0123456789ab up',
    'END',
    'if [ -e /proc/sys/net/ipv6/conf/hp0123456789ab/disable_ipv6 ];' +
      ' then echo 1 > /proc/sys/net/ipv6/conf/hp0123456789ab/disable_ipv6; fi',
    'echo hp0123456789ab',
    "exec nsenter --net=/run/netns/cni-1 sh -c 'set -e",
    'if [ -e /proc/sys/net/ipv6/conf/eth0/accept_ra ]; then echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_ra; fi',
    'ethtool -K eth0 tx off > /dev/null & ethtool=$!',
    'ip -batch -',
    "wait $ethtool' << 'END'",
    'address add 10.244.0.5/16 dev eth0',
    'link set dev eth0 up',
    'END',
  ]);
});

test('checksums are left to the datapath where it completes them', () => {
  expect(makeScript(pair, port, nic, { checksumOffload: true })).not.toContain('ethtool');
});

/** The programs as they were called; `sh` by that name alone. Each call fails as listed, in turn, then succeeds. */
function failing(failures: Readonly<Record<string, string[]>>, calls: string[]): Run {
  return async (file, args) => {
    const line = file === 'sh' ? 'sh' : [file, ...args].join(' ');
    calls.push(line);
    const stderr = failures[line]?.shift();
    if (stderr !== undefined) throw new CommandFailed(line, file === 'sh' ? 17 : 1, stderr);
    return '';
  };
}

const taken = 'RTNETLINK answers: File exists\nCommand failed -:1';

test('a leftover of an earlier try is replaced', async () => {
  const calls: string[] = [];
  await makeVethPair(pair, port, nic, { run: failing({ sh: [taken] }, calls), checksumOffload: true });
  expect(calls).toEqual(['sh', 'ip link delete dev hp0123456789ab', 'sh']);
});

test("a name that is taken in the pod by somebody else's interface is told apart from a leftover", async () => {
  const noLeftover = failing(
    { sh: [taken], 'ip link delete dev hp0123456789ab': ['Cannot find device "hp0123456789ab"'] },
    [],
  );
  const leftoverToo = failing({ sh: [taken, taken] }, []);
  for (const run of [noLeftover, leftoverToo]) {
    await expect(makeVethPair(pair, port, nic, { run, checksumOffload: true })).rejects.toThrow(
      'an interface named eth0 already exists in /run/netns/cni-1',
    );
  }
});
