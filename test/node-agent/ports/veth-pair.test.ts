import { expect, test } from 'vitest';
import { CommandFailed, type Run } from '#node-agent/commands.ts';
import type { PortRequest } from '#node-agent/port-request.ts';
import { createLines, createVethPair, podEndScript } from '#node-agent/ports/veth-pair.ts';

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

test("the pair is made with the pod's end in its namespace and down, the node's end mute and up", () => {
  expect(createLines(pair, port)).toEqual([
    'link add name hp0123456789ab address 0a:01:02:03:04:05 mtu 1400 type veth' +
      ' peer name eth0 address 0a:58:0a:f4:00:05 mtu 1400 netns /run/netns/cni-1',
    'link set dev hp0123456789ab addrgenmode none',
    'link set dev hp0123456789ab up',
  ]);
});

test('checksums are computed in the pod unless the datapath completes them', () => {
  const nic = { ipv6: {}, ip: [] };
  expect(podEndScript(nic, { checksumOffload: false })).toContain('ethtool -K "$1" tx off');
  expect(podEndScript(nic, { checksumOffload: true })).not.toContain('ethtool');
});

/** Plays the programs: each command line has its failures in turn, then succeeds. */
function failing(failures: Readonly<Record<string, string[]>>, calls: string[]): Run {
  return async (file, args) => {
    const line = [file, ...args].join(' ');
    calls.push(line);
    const stderr = failures[line]?.shift();
    if (stderr !== undefined) throw new CommandFailed(line, stderr);
    return '';
  };
}

test('a leftover of an earlier try is replaced', async () => {
  const calls: string[] = [];
  const run = failing({ 'ip -batch -': ['RTNETLINK answers: File exists'] }, calls);
  await createVethPair(pair, port, { run, checksumOffload: true });
  expect(calls).toEqual(['ip -batch -', 'ip link delete dev hp0123456789ab', 'ip -batch -']);
});

test("a name that is taken in the pod by somebody else's interface is told apart from a leftover", async () => {
  const taken = 'RTNETLINK answers: File exists';
  const noLeftover = failing(
    { 'ip -batch -': [taken], 'ip link delete dev hp0123456789ab': ['Cannot find device "hp0123456789ab"'] },
    [],
  );
  const leftoverToo = failing({ 'ip -batch -': [taken, taken] }, []);
  for (const run of [noLeftover, leftoverToo]) {
    await expect(createVethPair(pair, port, { run, checksumOffload: true })).rejects.toThrow(
      'an interface named eth0 already exists in /run/netns/cni-1',
    );
  }
});
