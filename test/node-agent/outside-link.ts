import { run } from '#test/lab/topology/command.ts';
import type { Topology } from '#test/lab/topology/topology.ts';

/** A link that Hawser has nothing to do with: a Linux bridge on each node, joined in a namespace of its own. */
export interface OutsideLink {
  /** A namespace with `eth0` on the bridge of a node. */
  machine(node: string, name: string, mac: string): Promise<{ readonly netns: string; readonly device: 'eth0' }>;
}

export async function outsideLink(topology: Topology, bridge: string): Promise<OutsideLink> {
  const middle = await topology.addNamespace('storage');
  await run('ip', ['-batch', '-'], {
    netns: middle,
    input: 'link add middle type bridge forward_delay 0\nlink set middle up\n',
  });
  for (const { name, netns } of topology.nodes) {
    const pair = `link add name to-${name} type veth peer name up-${bridge} netns ${netns}`;
    await run('ip', ['-batch', '-'], {
      netns: middle,
      input: `${pair}\nlink set to-${name} master middle up\n`,
    });
    const lines = [
      `link add ${bridge} type bridge forward_delay 0`,
      `link set ${bridge} up`,
      `link set up-${bridge} master ${bridge} up`,
    ];
    await run('ip', ['-batch', '-'], { netns, input: `${lines.join('\n')}\n` });
  }
  return {
    async machine(node, name, mac) {
      const netns = await topology.addNamespace(name);
      const pair = `link add name s-${name} type veth peer name eth0 address ${mac} netns ${netns}`;
      await run('ip', ['-batch', '-'], {
        netns: topology.node(node).netns,
        input: `${pair}\nlink set s-${name} master ${bridge} up\n`,
      });
      await run('sh', ['-c', 'echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_dad; ip link set eth0 up'], { netns });
      return { netns, device: 'eth0' };
    },
  };
}
