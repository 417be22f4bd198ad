import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * A network of its own for the members of a cluster: each in a network namespace, all on one bridge whose ports can be unplugged. The namespaces have no
 * names: they last as long as the processes in them, which end with this one.
 */
export class PartitionNetwork implements AsyncDisposable {
  readonly #holders: ChildProcess[] = [];

  private constructor() {}

  static async open(members: number): Promise<PartitionNetwork> {
    const network = new PartitionNetwork();
    const hub = await network.#namespace();
    await ip(hub, 'link', 'add', 'br0', 'type', 'bridge');
    await ip(hub, 'link', 'set', 'br0', 'up');
    for (let member = 0; member < members; member++) {
      const own = await network.#namespace();
      await ip(hub, 'link', 'add', port(member), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(own.pid));
      await ip(hub, 'link', 'set', port(member), 'master', 'br0', 'up');
      await ip(own, 'address', 'add', `${host(member)}/24`, 'dev', 'eth0');
      for (const device of ['lo', 'eth0']) await ip(own, 'link', 'set', device, 'up');
    }
    return network;
  }

  /** Where a member talks to the others. */
  address(member: number): string {
    return `tcp:${host(member)}:6644`;
  }

  /** A command that runs in a member's namespace. Files, and so unix sockets, are this machine's. */
  within(member: number): readonly string[] {
    return ['nsenter', `--net=/proc/${this.#holders[member + 1]?.pid}/ns/net`];
  }

  async unplug(member: number): Promise<void> {
    await ip(this.#hub, 'link', 'set', port(member), 'down');
  }

  async plugIn(member: number): Promise<void> {
    await ip(this.#hub, 'link', 'set', port(member), 'up');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#holders.map(async (holder) => {
        const ended = once(holder, 'exit');
        holder.kill('SIGKILL');
        await ended;
      }),
    );
  }

  get #hub(): ChildProcess {
    const [hub] = this.#holders;
    if (!hub) throw new Error('the network is closed');
    return hub;
  }

  /** A namespace, held by a process that does nothing. */
  async #namespace(): Promise<ChildProcess> {
    const hold = ['--pdeathsig', 'KILL', 'unshare', '--net', 'sh', '-c', 'echo; exec sleep infinity'];
    const holder = spawn('setpriv', hold, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#holders.push(holder);
    await once(holder.stdout, 'data');
    return holder;
  }
}

const port = (member: number) => `member${member}`;
const host = (member: number) => `192.0.2.${member + 1}`;

async function ip(namespace: ChildProcess, ...command: string[]): Promise<void> {
  await run('nsenter', [`--net=/proc/${namespace.pid}/ns/net`, 'ip', ...command]);
}
