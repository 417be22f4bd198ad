import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { newestVersions } from './cni/conf-file.ts';

const remotes = z.array(z.string().regex(/^(unix:|tcp:|ssl:)/)).min(1);

/** What passes through `ip -batch` as one plain word. */
const deviceName = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/);

const schema = z.strictObject({
  /** The Kubernetes node name. It becomes the chassis name (`system-id`) and `hostname`, which `requested-chassis` holds. */
  nodeName: z.string().min(1),
  /** The agent's own unix socket, for virtual machine managers on this node; beside it is the one for the CNI plugin, `<socket>.cni`. */
  socket: z.string().default('/run/hawser/agent.sock'),
  /** This node's Open_vSwitch database. */
  openVswitch: remotes.default(['unix:/run/openvswitch/db.sock']),
  /** OVN southbound database; several for a cluster. Also written as `ovn-remote` for ovn-controller. */
  southbound: remotes,
  integrationBridge: z.string().default('br-int'),
  /** `system` is the kernel's datapath, `netdev` Open vSwitch's own in user space. */
  datapathType: z.enum(['system', 'netdev']).default('system'),
  encap: z.strictObject({
    type: z.enum(['geneve', 'vxlan']).default('geneve'),
    /** This node's tunnel endpoint; with `netdev` it must sit on an Open vSwitch bridge. */
    ip: z.union([z.ipv4(), z.ipv6()]),
  }),
  /**
   * The physical networks that this node is on, for Networks of topology `underlay`. With `nic` the agent makes the bridge, puts the NIC
   * there and the host's addresses with it, and undoes all that when the entry is gone; without, the bridge is somebody else's.
   */
  physicalNetworks: z
    .array(z.strictObject({ name: z.string().regex(/^[^:,\s]+$/), bridge: deviceName, nic: deviceName.optional() }))
    .default([]),
  /**
   * The devices by which this node is on physical networks where guests have NICs that are not on `br-int`: a Linux bridge, a VLAN device,
   * the parent of macvtaps, the PF of an SR-IOV card. The agent answers those guests there.
   */
  guestLinks: z
    .array(
      z.strictObject({
        physicalNetwork: z.string().regex(/^[^:,\s]+$/),
        vlan: z.int().min(1).max(4094).optional(),
        device: deviceName,
      }),
    )
    .default([]),
  /** Whether ovn-controller reads all of the southbound database; cheaper for the server while most nodes need most rows. */
  monitorAll: z.boolean().default(true),
  /** How often ovn-controller asks the southbound server whether it is there; 0 is never. */
  southboundProbeMilliseconds: z.int().min(0).default(60_000),
  /** How long CNI ADD and `PUT /ports` wait for the controller to request the port for this node. */
  portTimeoutSeconds: z.number().positive().default(60),
  /** How long they then wait for ovn-controller's flows. With the time above less than kubelet's two minutes. */
  installTimeoutSeconds: z.number().positive().default(30),
  /** UID and GID that own the taps: KubeVirt's and libvirt's `qemu`. */
  tapOwner: z.int().min(0).default(107),
  /**
   * The device by which this node is on the pod network: kubelet reaches pods through it, and pods their node. False on a host that is
   * no Kubernetes node.
   */
  managementPort: z.union([z.literal(false), deviceName]).default('hawser0'),
  /** What the agent puts on the node for its container runtime; absent: somebody else does. */
  cni: z
    .strictObject({
      /** Written when ADD can be served, removed when that has been impossible for `withdrawAfterSeconds`. */
      confFile: z.string().default('/etc/cni/net.d/10-hawser.conflist'),
      withdrawAfterSeconds: z.number().min(0).default(30),
      /** Where runtimes look for plugins. */
      binFolder: z.string().default('/opt/cni/bin'),
      /** The plugin that `npm run build` made. */
      plugin: z.string().default('dist/hawser'),
      /** Network configurations of plugins that run after ours, such as `portmap` or `bandwidth`. */
      chained: z.array(z.looseObject({ type: z.string() })).default([]),
      /** 1.1.0 when they speak it or there are none: with it runtimes ask for STATUS and GC. Absent: 1.0.0 if anything is chained. */
      newestVersion: z.enum(newestVersions).optional(),
    })
    .optional(),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
});

/** The node agent's configuration; its defaults are its documentation. */
export type Config = z.infer<typeof schema>;

/** The file is missing, not JSON, or says something that cannot be meant; the message is for the one who wrote it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export async function readConfig(path: string): Promise<Config> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new ConfigError(`cannot read ${path}: ${cause}`, { cause });
  }
  return parseConfig(text, path);
}

export function parseConfig(text: string, path: string): Config {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ConfigError(`${path} is not JSON: ${cause}`, { cause });
  }
  const config = schema.safeParse(json);
  if (!config.success) throw new ConfigError(`${path}: ${z.prettifyError(config.error)}`);
  return config.data;
}
