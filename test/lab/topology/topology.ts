import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type OvnInstallation, ovnInstallation } from '#test/setup/ovn-root.ts';
import { type Central, startCentral } from './central.ts';
import { cleanUpDeadLabs, down, removeNamespaces } from './clean-up.ts';
import { run } from './command.ts';
import { claimFolder, labMark, markKept, namespacePrefix, withLabsLock } from './lab-folder.ts';
import { startNode, type TopologyNode } from './node.ts';
import { createUnderlay, underlayMember } from './underlay.ts';
import { Undertaker } from './undertaker.ts';

/** A running OVN deployment on this machine: one central and some nodes, each in a network namespace, and an underlay. */
export interface Topology extends AsyncDisposable {
  readonly id: string;
  /** `/run/hawser-lab/<id>`: all files of the lab. */
  readonly folder: string;
  readonly ovn: OvnInstallation;
  /** Belongs into the environment of every process of the lab: by it they are found and killed when the lab goes. */
  readonly env: Readonly<Record<string, string>>;
  readonly central: Central;
  readonly nodes: readonly TopologyNode[];
  /** @throws Error when there is no such node. */
  node(name: string): TopologyNode;
  nbctl(...args: string[]): Promise<string>;
  sbctl(...args: string[]): Promise<string>;
  /** A further network namespace, for a pod: `hawser-<id>-<name>` with `lo` up. It goes with the lab at the latest. */
  addNamespace(name: string): Promise<string>;
  /** Kills what runs in such a namespace and removes it. */
  removeNamespace(netns: string): Promise<void>;
  /** Leaves the lab running when this object is disposed of and when the process ends; `down(id)` ends it. */
  keep(): Promise<void>;
}

export interface TopologyOptions {
  /** 1 to 16 small letters and digits; random when absent. */
  readonly id?: string;
  /** How many nodes, 1 to 200. */
  readonly nodes: number;
  /** OVN version such as `25.03`; the machine's own when absent. `prepare({ovn})` has to have run for it. */
  readonly ovn?: string;
  /** Told what is worth telling: daemons that end by themselves. */
  readonly log?: (line: string) => void;
}

/**
 * Brings up central and the nodes, all daemons ready. Whatever happens to this process, they go with it: by disposing,
 * else by the undertaker, else by the next run.
 *
 * @throws LabExists when the id is taken; Error with the end of a log when a daemon does not start.
 */
export async function startTopology(options: TopologyOptions): Promise<Topology> {
  const { id = randomBytes(4).toString('hex'), log = () => {} } = options;
  const [ovn] = await Promise.all([ovnInstallation(options.ovn), cleanUpDeadLabs()]);
  const folder = await withLabsLock(() => claimFolder(id));
  const undertaker = new Undertaker();
  // A daemon may end because its lab is being taken down; that is no news.
  let ending = false;
  const tearDown = async () => {
    ending = true;
    await down(id);
    await undertaker.dismiss();
  };
  const onUnexpectedEnd = (sentence: string) => {
    if (!ending) log(sentence);
  };
  try {
    const prefix = namespacePrefix(id);
    const env = { ...labMark(id), PATH: ovn.path };
    const shared = { ovn, env, onUnexpectedEnd };
    const centralMember = underlayMember(`${prefix}central`, 'central', 1);
    const names = Array.from({ length: options.nodes }, (_, index) => `node-${letters(index)}`);
    const members = names.map((name, index) => underlayMember(prefix + name, name, 11 + index));
    await createUnderlay(`${prefix}underlay`, [centralMember, ...members]);
    const [central, nodes] = await Promise.all([
      startCentral({ ...shared, member: centralMember, runDir: join(folder, 'central') }),
      Promise.all(
        members.map((member) => {
          const peers = members.filter((peer) => peer !== member);
          return startNode({ ...shared, name: member.port, member, peers, runDir: join(folder, member.port) });
        }),
      ),
    ]);
    let kept = false;
    return {
      id,
      folder,
      ovn,
      env,
      central,
      nodes,
      node: (name) => {
        const found = nodes.find((node) => node.name === name);
        if (!found) throw new Error(`the lab has no ${name}, only ${names.join(', ')}`);
        return found;
      },
      nbctl: (...args) => run('ovn-nbctl', args, { env: central.env }),
      sbctl: (...args) => run('ovn-sbctl', args, { env: central.env }),
      addNamespace: async (name) => {
        const netns = prefix + name;
        await run('ip', ['-batch', '-'], { input: `netns add ${netns}\n` });
        await run('ip', ['link', 'set', 'lo', 'up'], { netns });
        return netns;
      },
      removeNamespace: (netns) => removeNamespaces([netns]),
      keep: async () => {
        kept = true;
        await markKept(id);
        await undertaker.dismiss();
      },
      [Symbol.asyncDispose]: async () => {
        if (!kept) await tearDown();
      },
    };
  } catch (error) {
    await tearDown();
    throw error;
  }
}

/** 0 → a, 25 → z, 26 → aa: as columns are lettered. */
function letters(index: number): string {
  const last = String.fromCharCode('a'.charCodeAt(0) + (index % 26));
  return index < 26 ? last : letters(Math.floor(index / 26) - 1) + last;
}
