import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { discoveryDocument } from './discovery.ts';
import type { Faults } from './faults.ts';
import { startGarbageCollection } from './garbage.ts';
import type { JsonObject } from './object.ts';
import { Pages } from './pages.ts';
import { targetOf, write } from './requests.ts';
import { type Resource, resources as servedResources } from './resources.ts';
import { selectorOf } from './selectors.ts';
import { badRequest, expired, noSuchPath, StatusError } from './status-error.ts';
import { Store } from './store.ts';
import { serveWatch } from './watch-stream.ts';

export interface KubeApiOptions {
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** Kept by a test that stops a server and starts another with the same state. */
  readonly store?: Store;
  readonly resources?: readonly Resource[];
  /** What mutating webhooks do to every object that is created. */
  readonly admit?: (body: JsonObject) => JsonObject;
  /** Between two bookmarks of a watch; a real server sends one about every minute. */
  readonly bookmarkEveryMs?: number;
}

/** One request as it was answered, for tests that count what a client does. */
export interface RequestRecord {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
}

export interface KubeApi extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly store: Store;
  /** Every request so far, watches included. */
  readonly requests: readonly RequestRecord[];
  /** Watches open now. */
  readonly watches: number;
  /** Faults for the requests to come. */
  setFaults(faults: Faults): void;
  /** Destroys the connection of every running watch. */
  dropWatches(): void;
  /** Forgets the history: a watch that resumes from before now gets 410. */
  compact(): void;
  /** YAML for `kubectl --kubeconfig` and for our own programs. */
  kubeconfig(): string;
}

/**
 * The Kubernetes API as far as Hawser and its lab need it, in this process, on 127.0.0.1 over plain HTTP and without
 * authentication. `test/kube/contract.ts` holds it to what a real kube-apiserver does.
 */
export async function startKubeApi(options: KubeApiOptions = {}): Promise<KubeApi> {
  const { resources = servedResources, bookmarkEveryMs = 60_000 } = options;
  const store = options.store ?? new Store(Date.now, options.admit);
  if (options.store === undefined) createFirstNamespaces(store, resources);
  const stopCollecting = startGarbageCollection(store, resources);
  const pages = new Pages(store);
  const requests: RequestRecord[] = [];
  const watches = new Set<ServerResponse>();
  let faults: Faults = {};

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const met = faults;
    const { method = 'GET' } = request;
    const { pathname: path, searchParams: query } = new URL(request.url ?? '/', 'http://localhost');
    requests.push({ method, path, query });
    if (met.latencyMs) await delay(met.latencyMs);
    if (met.refuse !== undefined) {
      const { status, retryAfterSeconds } = met.refuse;
      throw new StatusError(status, 'ServiceUnavailable', 'refused by the test', retryAfterSeconds);
    }
    if (/^\/(healthz|readyz|livez)/.test(path)) {
      response.writeHead(200, { 'content-type': 'text/plain' }).end('ok');
      return;
    }
    const document = method === 'GET' ? discoveryDocument(path.replace(/\/$/, ''), resources) : undefined;
    if (document !== undefined) {
      send(response, 200, document);
      return;
    }
    const target = targetOf(path, resources);
    if (method !== 'GET') {
      const { code, body } = write(store, resources, target, {
        method,
        contentType: request.headers['content-type'] ?? 'application/json',
        body: await bodyOf(request),
        isDryRun: query.has('dryRun'),
        query,
      });
      send(response, code, body);
      return;
    }
    const { resource, namespace, name, subresource } = target;
    if (name !== undefined) {
      if (subresource !== undefined && !(subresource === 'status' && resource.hasStatus)) throw noSuchPath();
      send(response, 200, store.get(resource, namespace, name));
    } else if (query.get('watch') === 'true' || query.get('watch') === '1') {
      watches.add(response);
      response.on('close', () => watches.delete(response));
      serveWatch(
        store,
        {
          resource,
          namespace,
          matches: selectorOf(query),
          resourceVersion: query.get('resourceVersion') ?? undefined,
          sendsInitialEvents: query.get('sendInitialEvents') === 'true',
          allowsBookmarks: query.get('allowWatchBookmarks') === 'true',
          timeoutSeconds: Number(query.get('timeoutSeconds') ?? 1800),
          bookmarkEveryMs,
          latencyMs: met.latencyMs ?? 0,
          faults: met.watch ?? {},
        },
        response,
      );
    } else {
      const continueToken = query.get('continue') ?? undefined;
      if (met.expireContinue && continueToken !== undefined) throw expired('the continue token is too old');
      const limit = Number(query.get('limit') ?? 0);
      send(response, 200, pages.list({ resource, namespace, matches: selectorOf(query), limit, continueToken }));
    }
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => refuse(response, error));
  });
  server.keepAliveTimeout = 60_000;
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the API server has no port');
  const { port } = address;
  const url = `http://127.0.0.1:${port}`;

  return {
    url,
    port,
    store,
    requests,
    get watches() {
      return watches.size;
    },
    setFaults: (next) => {
      faults = next;
    },
    dropWatches: () => {
      for (const response of watches) response.destroy();
    },
    compact: () => store.compact(),
    kubeconfig: () => kubeconfigFor(url),
    [Symbol.asyncDispose]: async () => {
      stopCollecting();
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, 'close');
    },
  };
}

function createFirstNamespaces(store: Store, resources: readonly Resource[]): void {
  const namespaces = resources.find(({ kind, group }) => kind === 'Namespace' && group === '');
  if (namespaces === undefined) return;
  for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) {
    store.create(namespaces, undefined, { metadata: { name, labels: { 'kubernetes.io/metadata.name': name } } });
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest('the body of the request is not JSON');
  }
}

function send(response: ServerResponse, code: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (!(error instanceof StatusError)) {
    // A bug of the stand-in: the test that meets it should see where.
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    send(response, 500, new StatusError(500, 'InternalError', text));
    return;
  }
  const { retryAfterSeconds } = error;
  send(
    response,
    error.code,
    error,
    retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) },
  );
}

function kubeconfigFor(url: string): string {
  return `apiVersion: v1
kind: Config
current-context: lab
clusters:
  - name: lab
    cluster:
      server: ${url}
      # Plain HTTP: there is no certificate to verify.
      insecure-skip-tls-verify: true
users:
  - name: lab
    user: {}
contexts:
  - name: lab
    context:
      cluster: lab
      user: lab
`;
}
