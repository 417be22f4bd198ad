import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { KubeApi } from '#controller/kube/api.ts';
import { loadCredentials } from '#controller/kube/credentials.ts';
import { KubeError } from '#controller/kube/errors.ts';
import { run } from '#test/lab/topology/command.ts';
import { Daemon } from '#test/lab/topology/daemon.ts';
import type { KubeAssets } from './assets.ts';
import { kubeconfigText } from './kubeconfig.ts';
import { makeKubeletAccess } from './kubelet-access.ts';
import { startRelay } from './relay.ts';

export interface ControlPlaneOptions {
  readonly assets: KubeAssets;
  /** Where data, certificates, credentials and logs go; made when it is not there. */
  readonly folder: string;
  /** Network namespace to run in, and its address there; the caller's own and 127.0.0.1 when absent. */
  readonly at?: { readonly netns: string; readonly address: string };
  /** Names of nodes whose kubelets are to join. Pods then have ServiceAccounts with tokens. */
  readonly nodes?: readonly string[];
  /** Added to the environment of every process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Manifests, or folders with a kustomization, that are there before any controller starts. */
  readonly crds?: readonly string[];
}

/** A real Kubernetes control plane without nodes: etcd, kube-apiserver, kube-controller-manager and kube-scheduler. */
export interface ControlPlane extends AsyncDisposable {
  /** As this process reaches it. */
  readonly url: string;
  /** As those reach it who are on its network: the same as `url` unless it runs in a namespace. */
  readonly innerUrl: string;
  /** The certificate authority of the API server, PEM. */
  readonly ca: string;
  /** A kubeconfig file with all rights, for `kubectl` and for our own programs. */
  readonly adminKubeconfig: string;
  /** The same for a program on its network. */
  readonly innerKubeconfig: string;
  /** Kubeconfig files of the nodes' kubelets, by node. */
  readonly kubeletKubeconfigs: ReadonlyMap<string, string>;
  /** Whom the kubelets are to take for the API server, PEM file; absent without nodes. */
  readonly kubeletClientAuthority?: string;
  /** As administrator. */
  readonly api: KubeApi;
  readonly etcd: Daemon;
  readonly apiServer: Daemon;
  /** kube-controller-manager and kube-scheduler. */
  readonly managers: readonly Daemon[];
  /** Runs `kubectl` as administrator and gives its standard output. */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** A token of a ServiceAccount, which is made when it is not there; it ends after ten minutes, the shortest there is. */
  serviceAccountToken(namespace: string, name: string): Promise<string>;
  /** Lets the API server reach a port of this process's 127.0.0.1 at its own: for webhooks. */
  reachBack(port: number): Promise<void>;
  /** Drops etcd's history up to now, as it does itself every five minutes: a watch that resumes from before gets 410. */
  compact(): Promise<void>;
}

/** Every program has a credential of its own, by a bearer token; TLS is verified against the server's own authority. */
const ownUsers = {
  admin: ['admin', 'system:masters'],
  'controller-manager': ['system:kube-controller-manager', ''],
  scheduler: ['system:kube-scheduler', ''],
} as const;

export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { assets, folder, at, nodes = [], crds = [], env = {} } = options;
  const address = at?.address ?? '127.0.0.1';
  const place = { env, ...(at === undefined ? {} : { netns: at.netns }) };
  const users: Readonly<Record<string, readonly [string, string]>> = {
    ...ownUsers,
    ...Object.fromEntries(nodes.map((node) => [`kubelet-${node}`, [`system:node:${node}`, 'system:nodes']])),
  };
  await mkdir(folder, { recursive: true });
  const [etcdPort, peerPort, apiPort] = await freePorts(3);
  const file = (name: string): string => join(folder, name);
  const tokens = Object.fromEntries(Object.keys(users).map((name) => [name, randomBytes(16).toString('hex')]));
  await writeFile(
    file('tokens.csv'),
    Object.entries(users)
      .map(([name, [user, group]]) => `${tokens[name]},${user},${name},"${group}"\n`)
      .join(''),
  );
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await writeFile(file('service-accounts.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(file('service-accounts.pub'), publicKey.export({ type: 'spki', format: 'pem' }));

  const access = nodes.length === 0 ? undefined : await makeKubeletAccess(folder);

  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const daemon = (name: string, command: string, args: string[], ready?: (signal: AbortSignal) => Promise<void>) =>
    new Daemon({
      ...place,
      name,
      command,
      args,
      logFile: file(`${name}.log`),
      readyTimeoutMs: 120_000,
      ...(ready === undefined ? {} : { ready: (_pid, signal) => ready(signal) }),
    });

  const etcd = daemon(
    'etcd',
    assets.etcd,
    [
      `--data-dir=${file('etcd')}`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
      '--logger=zap',
    ],
    (signal) => until(signal, async () => (await fetch(`${etcdUrl}/health`, { signal })).ok),
  );
  const innerUrl = `https://${address}:${apiPort}`;
  // The server's certificate has the names it makes up itself: its address and, when it listens on all of them, localhost.
  const url = at === undefined ? innerUrl : `https://localhost:${apiPort}`;
  const certFile = file('certificates/apiserver.crt');
  const apiServer = daemon(
    'kube-apiserver',
    assets.kubeApiserver,
    [
      `--etcd-servers=${etcdUrl}`,
      `--bind-address=${at === undefined ? address : '0.0.0.0'}`,
      `--advertise-address=${address}`,
      `--secure-port=${apiPort}`,
      // It makes itself an authority and a certificate there the first time.
      `--cert-dir=${file('certificates')}`,
      `--token-auth-file=${file('tokens.csv')}`,
      '--authorization-mode=Node,RBAC',
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--service-account-key-file=${file('service-accounts.pub')}`,
      `--service-account-signing-key-file=${file('service-accounts.key')}`,
      '--service-cluster-ip-range=10.96.0.0/16,fd00:10:96::/112',
      // Without nodes no pod uses a token, and each would have to wait for its namespace's ServiceAccount.
      ...(access === undefined
        ? ['--disable-admission-plugins=ServiceAccount']
        : [`--kubelet-client-certificate=${access.certificate}`, `--kubelet-client-key=${access.key}`]),
      '--endpoint-reconciler-type=none',
      '--allow-privileged=true',
      '--kubelet-preferred-address-types=InternalIP',
    ],
    (signal) => until(signal, () => isReady(url, certFile, tokens.admin ?? '')),
  );
  const daemons = [etcd, apiServer];
  const relays = new AsyncDisposableStack();
  const stop = async (): Promise<void> => {
    for (const running of daemons.toReversed()) await running.kill();
    await relays.disposeAsync();
  };
  try {
    if (at !== undefined) {
      const relayed = [
        { address: '127.0.0.1', port: etcdPort ?? 0 },
        { address, port: apiPort ?? 0 },
      ];
      for (const { address, port } of relayed) {
        relays.use(await startRelay({ to: { ...place, address }, at: { env }, port, folder }));
      }
    }
    await etcd.start();
    await apiServer.start();
    const ca = await readFile(certFile, 'utf8');
    const kubeconfigs = new Map<string, string>();
    for (const name of Object.keys(users)) {
      const path = file(`${name}.kubeconfig`);
      await writeFile(path, kubeconfigText({ url: innerUrl, ca, token: tokens[name] ?? '' }));
      kubeconfigs.set(name, path);
    }
    const adminKubeconfig = file('kubeconfig');
    await writeFile(adminKubeconfig, kubeconfigText({ url, ca, token: tokens.admin ?? '' }));
    const api = new KubeApi(loadCredentials({ file: adminKubeconfig }));
    const kubectl = (args: readonly string[], input?: string): Promise<string> =>
      run(assets.kubectl, ['--kubeconfig', adminKubeconfig, ...args], {
        env,
        ...(input === undefined ? {} : { input }),
      });
    // The garbage collector learns of new kinds only every 30 s, so they are there before it is.
    for (const crd of crds) {
      await kubectl(['apply', '--server-side', crd.endsWith('.yaml') ? '-f' : '-k', crd]);
    }
    if (crds.length > 0) await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
    const managers = [
      daemon('kube-controller-manager', assets.kubeControllerManager, [
        `--kubeconfig=${kubeconfigs.get('controller-manager')}`,
        `--service-account-private-key-file=${file('service-accounts.key')}`,
        `--root-ca-file=${certFile}`,
        '--use-service-account-credentials=true',
        '--leader-elect=false',
        '--secure-port=0',
        '--kube-api-qps=200',
        '--kube-api-burst=400',
      ]),
      daemon('kube-scheduler', assets.kubeScheduler, [
        `--kubeconfig=${kubeconfigs.get('scheduler')}`,
        '--leader-elect=false',
        '--secure-port=0',
        '--kube-api-qps=200',
        '--kube-api-burst=400',
      ]),
    ];
    daemons.push(...managers);
    await Promise.all(managers.map((manager) => manager.start()));
    return {
      url,
      innerUrl,
      ca,
      adminKubeconfig,
      innerKubeconfig: kubeconfigs.get('admin') ?? '',
      kubeletKubeconfigs: new Map(nodes.map((node) => [node, kubeconfigs.get(`kubelet-${node}`) ?? ''])),
      ...(access === undefined ? {} : { kubeletClientAuthority: access.authority }),
      api,
      etcd,
      apiServer,
      managers,
      kubectl,
      serviceAccountToken: async (namespace, name) => {
        const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name } };
        await kubectl(['apply', '--server-side', '-f', '-'], JSON.stringify(account));
        return (await kubectl(['create', 'token', name, '-n', namespace, '--duration=10m'])).trim();
      },
      reachBack: async (port) => {
        if (at === undefined) return;
        relays.use(await startRelay({ to: { env, address: '127.0.0.1' }, at: place, port, folder }));
      },
      compact: () => compactEtcd(etcdUrl),
      [Symbol.asyncDispose]: async () => {
        api.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The server says so itself at `/readyz`, once its certificate is there to ask it by. */
async function isReady(url: string, certFile: string, token: string): Promise<boolean> {
  const ca = await readFile(certFile, 'utf8').catch(() => undefined);
  if (ca === undefined) return false;
  const api = new KubeApi(loadCredentials({ text: kubeconfigText({ url, ca, token }) }));
  try {
    // The answer is the word `ok`, which is no JSON: asking for the namespaces says as much, and that RBAC is up.
    await api.stream('/readyz').then((body) => body.destroy());
    await api.get('/api/v1/namespaces/default');
    return true;
  } catch (error) {
    if (error instanceof KubeError) return false;
    throw error;
  } finally {
    api.close();
  }
}

async function until(signal: AbortSignal, holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds().catch(() => false))) await delay(50, undefined, { signal });
}

/** Over etcd's JSON gateway. */
async function compactEtcd(etcdUrl: string): Promise<void> {
  const post = async (path: string, body: object): Promise<unknown> => {
    const response = await fetch(`${etcdUrl}/v3/${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`etcd ${path}: ${await response.text()}`);
    return response.json();
  };
  const answer = await post('kv/range', { key: Buffer.from('compact').toString('base64') });
  const revision = /"revision":"(\d+)"/.exec(JSON.stringify(answer))?.[1];
  await post('kv/compaction', { revision, physical: true });
}

/** Ports that nobody listens on now. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
    return address.port;
  });
  for (const server of servers) server.close();
  return ports;
}
