import { z } from 'zod';
import { isInterfaceName } from '../port-request.ts';
import { CniError, cniErrorCodes } from './error.ts';
import { type CniVersion, has, isSupported, supportedVersions } from './version.ts';

/** What the plugin executable was given: its `CNI_` environment and its standard input, as they are. */
export interface PluginCall {
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
}

/** One interface of one sandbox: what ADD makes and DEL removes. */
export interface Attachment {
  /** CNI_CONTAINERID: the sandbox. A pod gets a new one whenever the runtime makes its sandbox anew. */
  readonly containerId: string;
  /** CNI_IFNAME. */
  readonly interfaceName: string;
  /** `name` of the network configuration; GC speaks of one network only. */
  readonly network: string;
}

export interface Pod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

interface Base {
  readonly cniVersion: CniVersion;
  readonly network: string;
}

export interface AddRequest extends Base, Attachment {
  readonly verb: 'ADD';
  readonly netns: string;
  readonly pod: Pod;
  readonly dns: Dns | undefined;
  readonly prevResult: PrevResult | undefined;
}
export interface DelRequest extends Base, Attachment {
  readonly verb: 'DEL';
  /** Absent when the runtime no longer has one. */
  readonly netns: string | undefined;
}
export interface CheckRequest extends Base, Attachment {
  readonly verb: 'CHECK';
  readonly netns: string;
  readonly prevResult: PrevResult | undefined;
}
export interface GcRequest extends Base {
  readonly verb: 'GC';
  readonly attachments: readonly Pick<Attachment, 'containerId' | 'interfaceName'>[];
}
export interface StatusRequest extends Base {
  readonly verb: 'STATUS';
}

export type CniRequest = AddRequest | DelRequest | CheckRequest | GcRequest | StatusRequest;

export type Dns = z.infer<typeof dns>;
/** The result of the plugins before this one (ADD) or of the whole chain's ADD (CHECK); unknown keys are kept. */
export type PrevResult = z.infer<typeof prevResult>;

/**
 * Reads a call of the plugin by the CNI specification 1.1.0, section "Parameters" and "Execution configuration". VERSION is
 * not among the verbs: the executable answers it alone.
 * @throws CniError with the specification's code and a sentence naming the variable or field.
 */
export function parseRequest({ env, stdin }: PluginCall): CniRequest {
  const conf = parseConf(stdin);
  if (!isSupported(conf.cniVersion)) {
    throw new CniError(
      cniErrorCodes.incompatibleVersion,
      `cniVersion ${conf.cniVersion} is not supported, only ${supportedVersions.join(', ')}`,
    );
  }
  const base = { cniVersion: conf.cniVersion, network: conf.name };
  const verb = env.CNI_COMMAND ?? '';
  switch (verb) {
    case 'ADD':
      return {
        verb,
        ...base,
        ...attachmentOf(env),
        netns: netnsOf(env),
        pod: podOf(env),
        dns: conf.dns,
        prevResult: conf.prevResult,
      };
    case 'DEL':
      return { verb, ...base, ...attachmentOf(env), netns: env.CNI_NETNS ? netnsOf(env) : undefined };
    case 'CHECK':
      requireVersion(conf.cniVersion, '0.4.0', verb);
      return { verb, ...base, ...attachmentOf(env), netns: netnsOf(env), prevResult: conf.prevResult };
    case 'GC':
      requireVersion(conf.cniVersion, '1.1.0', verb);
      return {
        verb,
        ...base,
        attachments: attachmentsOf(conf).map(({ containerID, ifname }) => ({
          containerId: containerID,
          interfaceName: ifname,
        })),
      };
    case 'STATUS':
      requireVersion(conf.cniVersion, '1.1.0', verb);
      return { verb, ...base };
    default:
      throw invalid('CNI_COMMAND', `is "${verb}", not ADD, DEL, CHECK, GC, STATUS or VERSION`);
  }
}

const dns = z.object({
  nameservers: z.array(z.string()).optional(),
  domain: z.string().optional(),
  search: z.array(z.string()).optional(),
  options: z.array(z.string()).optional(),
});

const prevResult = z.looseObject({
  interfaces: z
    .array(z.looseObject({ name: z.string(), mac: z.string().optional(), sandbox: z.string().optional() }))
    .optional(),
  ips: z.array(z.looseObject({ address: z.string(), interface: z.number().optional() })).optional(),
  routes: z.array(z.looseObject({ dst: z.string() })).optional(),
});

const attachments = z.array(z.object({ containerID: z.string(), ifname: z.string() }));

const networkConf = z.looseObject({
  cniVersion: z.string().default('0.2.0'), // what the specification says of a configuration without one
  name: z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/),
  dns: dns.optional(),
  prevResult: prevResult.optional(),
  // The specification says the first; libcni sets both, because early texts said the second.
  'cni.dev/valid-attachments': attachments.optional(),
  'cni.dev/attachments': attachments.optional(),
});

function parseConf(stdin: string): z.infer<typeof networkConf> {
  let json: unknown;
  try {
    json = JSON.parse(stdin);
  } catch (cause) {
    throw new CniError(cniErrorCodes.undecodable, `the network configuration on stdin is not JSON: ${cause}`, {
      cause,
    });
  }
  const conf = networkConf.safeParse(json);
  if (conf.success) return conf.data;
  throw new CniError(
    cniErrorCodes.invalidConfig,
    `the network configuration is invalid: ${z.prettifyError(conf.error)}`,
  );
}

/** Without the list nothing is known to be valid, and everything would go: that is refused, never guessed. */
function attachmentsOf(conf: z.infer<typeof networkConf>): z.infer<typeof attachments> {
  const valid = conf['cni.dev/valid-attachments'] ?? conf['cni.dev/attachments'];
  if (!valid) {
    throw new CniError(
      cniErrorCodes.invalidConfig,
      'GC needs the list cni.dev/valid-attachments in the network configuration',
    );
  }
  return valid;
}

function attachmentOf(env: PluginCall['env']): Pick<Attachment, 'containerId' | 'interfaceName'> {
  const containerId = env.CNI_CONTAINERID ?? '';
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(containerId)) throw invalid('CNI_CONTAINERID', `is "${containerId}"`);
  const interfaceName = env.CNI_IFNAME ?? '';
  if (!isInterfaceName(interfaceName)) {
    throw invalid(
      'CNI_IFNAME',
      `is "${interfaceName}", not an interface name of 1 to 15 letters, digits, "_", "-" and "."`,
    );
  }
  return { containerId, interfaceName };
}

function netnsOf(env: PluginCall['env']): string {
  const netns = env.CNI_NETNS ?? '';
  if (!/^\/[\w./:@-]+$/.test(netns)) throw invalid('CNI_NETNS', `is "${netns}", not the path of a network namespace`);
  return netns;
}

function podOf(env: PluginCall['env']): Pod {
  const args = new Map<string, string>();
  for (const pair of (env.CNI_ARGS ?? '').split(';')) {
    const [key = '', ...value] = pair.split('=');
    args.set(key, value.join('='));
  }
  const uid = args.get('K8S_POD_UID');
  if (!uid) throw invalid('CNI_ARGS', 'has no K8S_POD_UID, by which the pod is found');
  return { uid, namespace: args.get('K8S_POD_NAMESPACE') ?? '', name: args.get('K8S_POD_NAME') ?? '' };
}

function requireVersion(version: CniVersion, since: CniVersion, verb: string): void {
  if (!has(version, since)) {
    throw new CniError(
      cniErrorCodes.incompatibleVersion,
      `cniVersion ${version} has no ${verb}: it came with ${since}`,
    );
  }
}

function invalid(variable: string, what: string): CniError {
  return new CniError(cniErrorCodes.invalidEnvironment, `${variable} ${what}`);
}
