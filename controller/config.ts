import { readFileSync } from 'node:fs';
import * as z from 'zod';

/** Everything that can be set; the defaults and texts are the documentation. */
const schema = z.strictObject({
  northbound: z
    .array(z.string())
    .min(1)
    .describe('Remotes of the OVN northbound database: unix:/path, tcp:host:port, ssl:host:port.'),
  southbound: z
    .array(z.string())
    .min(1)
    .describe(
      'Remotes of the southbound database: what OVN can tell a guest is read there, and the chassis of deleted nodes are removed.',
    ),
  kubeconfig: z
    .string()
    .optional()
    .describe('Path of a kubeconfig; absent: $KUBECONFIG, ~/.kube/config or the ServiceAccount.'),
  mtu: z
    .int()
    .min(1280)
    .max(65535)
    .default(1400)
    .describe(
      'MTU of NICs on overlays that do not say (`guest.mtu`), bytes: the underlay less 58 for geneve over IPv4. On an underlay it is 1500.',
    ),
  bindingPlugins: z
    .record(z.string(), z.enum(['veth', 'managedTap', 'podTap', 'tap']))
    .default({ hawser: 'managedTap', 'hawser-podtap': 'podTap', 'hawser-tap': 'tap' })
    .describe(
      'KubeVirt network binding plugins of ours, and how their NICs are attached: managedTap and podTap for those registered with domainAttachmentType managedTap and tap, tap for launchers on the host network.',
    ),
  segmentAddresses: z
    .int()
    .min(16)
    .max(32_768)
    .refine((value) => Number.isInteger(Math.log2(value)), 'should be a power of two')
    .default(4096)
    .describe('IPv4 addresses of one segment (logical switch) of the ClusterNetwork default. Not to be changed later.'),
  leaderElection: z
    .strictObject({ namespace: z.string(), name: z.string().default('hawser-controller') })
    .optional()
    .describe('Where the Lease is by which several controllers elect one; absent: there is only ever one.'),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info'),
});

export type Config = z.infer<typeof schema>;

/** @throws Error with a sentence for whoever wrote the file. */
export function readConfig(path: string): Config {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw new Error(`${path}:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
