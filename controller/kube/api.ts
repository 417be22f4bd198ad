import http, { type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { KubeConfig } from '@kubernetes/client-node';
import { errorForSocket, errorForStatus, KubeError } from './errors.ts';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** How a PATCH body is to be read. */
export const patchTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
} as const;

export interface RequestSettings {
  readonly query?: Query;
  readonly signal?: AbortSignal;
}

/**
 * Raw JSON over the connection a kubeconfig describes: no object model. Credentials are taken from the `KubeConfig` at every
 * request, so a token file or exec plugin that rotates them is followed. All methods reject with {@link KubeError} only.
 */
export class KubeApi {
  readonly #config: KubeConfig;
  readonly #server: URL;
  readonly #agents: { readonly http: http.Agent; readonly https: https.Agent };
  readonly #idleMs: number;
  readonly #adopted = new WeakSet<Socket>();

  /** `idleMs`: silence after which a request (not a watch) is given up. Throws when the kubeconfig names no cluster. */
  constructor(config: KubeConfig, { idleMs = 30_000 }: { readonly idleMs?: number } = {}) {
    const cluster = config.getCurrentCluster();
    if (cluster === null) throw new KubeError('refused', 'the kubeconfig has no current cluster');
    this.#config = config;
    this.#server = new URL(cluster.server);
    this.#idleMs = idleMs;
    this.#agents = { http: new http.Agent({ keepAlive: true }), https: new https.Agent({ keepAlive: true }) };
  }

  get(path: string, settings: RequestSettings = {}): Promise<unknown> {
    return this.#json('GET', path, settings);
  }

  create(path: string, body: object, settings: RequestSettings = {}): Promise<unknown> {
    return this.#json('POST', path, settings, body);
  }

  replace(path: string, body: object, settings: RequestSettings = {}): Promise<unknown> {
    return this.#json('PUT', path, settings, body);
  }

  patch(path: string, type: keyof typeof patchTypes, body: object, settings: RequestSettings = {}): Promise<unknown> {
    return this.#json('PATCH', path, settings, body, patchTypes[type]);
  }

  /** `body`: a `metav1.DeleteOptions`. */
  delete(path: string, settings: RequestSettings = {}, body?: object): Promise<unknown> {
    return this.#json('DELETE', path, settings, body);
  }

  /** The open body of an answer that does not end by itself, such as a watch. It ends or errs with the connection. */
  stream(path: string, settings: RequestSettings = {}): Promise<Readable> {
    return this.#send('GET', path, settings, undefined, 'application/json', undefined);
  }

  /** Closes idle connections; requests that run go on. */
  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  /** Prepares a connection the first time it is used. */
  #adopt(socket: Socket): void {
    if (this.#adopted.has(socket)) return;
    this.#adopted.add(socket);
    // A dead peer is found by TCP within 15 s and 10 probes of 1 s (libuv), well before the idle limit of a watch.
    socket.setKeepAlive(true, 15_000);
    // Between the end of an answer and the socket's return to the agent nobody listens, and an abort then would end the process.
    socket.on('error', () => undefined);
  }

  async #json(
    method: string,
    path: string,
    settings: RequestSettings,
    body?: object,
    contentType = 'application/json',
  ): Promise<unknown> {
    const response = await this.#send(method, path, settings, body, contentType, this.#idleMs);
    const what = `${method} ${path}`;
    try {
      return JSON.parse(await text(response));
    } catch (error) {
      throw errorForSocket(what, error);
    }
  }

  async #send(
    method: string,
    path: string,
    { query = {}, signal }: RequestSettings,
    body: object | undefined,
    contentType: string,
    idleMs: number | undefined,
  ): Promise<IncomingMessage> {
    const what = `${method} ${path}`;
    const response = await this.#open(method, path, query, signal, body, contentType, idleMs).catch(
      (error: unknown) => {
        throw errorForSocket(what, error);
      },
    );
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    const answer = await text(response).catch(() => '');
    throw errorForStatus(what, status, parsed(answer), response.headers['retry-after']);
  }

  async #open(
    method: string,
    path: string,
    query: Query,
    signal: AbortSignal | undefined,
    body: object | undefined,
    contentType: string,
    idleMs: number | undefined,
  ): Promise<IncomingMessage> {
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const credentials: RequestOptions = {};
    await this.#config.applyToHTTPSOptions(credentials);
    const isTls = this.#server.protocol === 'https:';
    const usesProxy = this.#config.getCurrentCluster()?.proxyUrl !== undefined;
    const options: RequestOptions = {
      ...credentials,
      method,
      host: this.#server.hostname.replace(/^\[|\]$/g, ''),
      port: this.#server.port || (isTls ? 443 : 80),
      path: `${this.#server.pathname.replace(/\/$/, '')}${path}${queryText(query)}`,
      headers: {
        ...credentials.headers,
        accept: 'application/json',
        'user-agent': 'hawser',
        ...(payload === undefined ? {} : { 'content-type': contentType, 'content-length': payload.length }),
      },
      // client-node's own agent opens a connection per request; it is needed only to pass a proxy.
      ...(usesProxy ? {} : { agent: isTls ? this.#agents.https : this.#agents.http }),
      ...(signal === undefined ? {} : { signal }),
    };
    return new Promise((resolve, reject) => {
      const request = (isTls ? https : http).request(options, resolve);
      request.on('socket', (socket) => this.#adopt(socket));
      request.on('error', reject);
      if (idleMs !== undefined) {
        request.setTimeout(idleMs, () => request.destroy(new Error(`no answer for ${idleMs / 1000} s`)));
      }
      request.end(payload);
    });
  }
}

function queryText(query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
  return parameters.size === 0 ? '' : `?${parameters}`;
}

function parsed(answer: string): unknown {
  try {
    return JSON.parse(answer);
  } catch {
    return { message: answer.slice(0, 200) };
  }
}
