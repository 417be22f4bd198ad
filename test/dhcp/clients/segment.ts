import { run } from '#test/lab/topology/command.ts';

/** A bridge in a namespace of its own, and guests on it, each with `eth0` in a namespace of its own. */
export interface LabSegment extends AsyncDisposable {
  readonly netns: string;
  readonly bridge: 'segment';
  guest(name: string, mac: string): Promise<{ readonly netns: string; readonly device: 'eth0' }>;
}

/** `id` names the namespaces; those of an earlier run that was killed are removed first. */
export async function labSegment(id: string): Promise<LabSegment> {
  const netns = `${id}-segment`;
  const made = [netns];
  await add(netns);
  await run('ip', ['-batch', '-'], { netns, input: 'link add segment type bridge\nlink set segment up\n' });
  return {
    netns,
    bridge: 'segment',
    async guest(name, mac) {
      const own = `${id}-${name}`;
      made.push(own);
      await add(own);
      // The kernel takes a namespace's devices away a while after `ip netns del`.
      await run('sh', ['-c', `ip link del guest-${name} 2> /dev/null || true`], { netns });
      const pair = `link add name guest-${name} type veth peer name eth0 address ${mac} netns ${own}`;
      await run('ip', ['-batch', '-'], { netns, input: `${pair}\nlink set guest-${name} master segment up\n` });
      await run('sh', ['-c', 'echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_dad; ip link set eth0 up'], { netns: own });
      return { netns: own, device: 'eth0' };
    },
    async [Symbol.asyncDispose]() {
      for (const each of made) await remove(each);
    },
  };
}

async function add(netns: string): Promise<void> {
  await remove(netns);
  await run('ip', ['netns', 'add', netns]);
  await run('ip', ['-n', netns, 'link', 'set', 'lo', 'up']);
}

async function remove(netns: string): Promise<void> {
  const script = `[ -e /run/netns/${netns} ] || exit 0; ip netns pids ${netns} | xargs -r kill -9; ip netns del ${netns}`;
  await run('sh', ['-c', script]);
}
