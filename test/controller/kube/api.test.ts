import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { KubeApi } from '#controller/kube/api.ts';
import { loadCredentials } from '#controller/kube/credentials.ts';
import { KubeError } from '#controller/kube/errors.ts';

afterEach(() => {
  vi.useRealTimers();
});

for (const form of ['tokenFile', 'auth-provider'] as const) {
  test(`a token file (${form}) is read again when it has rotated`, async () => {
    await using server = await serve(({ headers }, response) => json(response, 200, { seen: headers.authorization }));
    using folder = temporaryFolder();
    const tokenFile = join(folder.path, 'token');
    const users = {
      tokenFile: `{ tokenFile: ${tokenFile} }`,
      'auth-provider': `{ auth-provider: { name: tokenFile, config: { tokenFile: ${tokenFile} } } }`,
    };
    const user = users[form];
    writeFileSync(tokenFile, 'first');
    using connected = connect(server.url, user);
    expect(await connected.api.get('/')).toEqual({ seen: 'Bearer first' });
    writeFileSync(tokenFile, 'second');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
    expect(await connected.api.get('/')).toEqual({ seen: 'Bearer second' });
  });
}

test('an exec plugin is asked for a token, once per lifetime of the token', async () => {
  await using server = await serve(({ headers }, response) => json(response, 200, { seen: headers.authorization }));
  using folder = temporaryFolder();
  const script = join(folder.path, 'plugin.sh');
  const expires = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
  writeFileSync(
    script,
    `echo x >> ${join(folder.path, 'calls')}
n=$(wc -l < ${join(folder.path, 'calls')})
echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t'$n'","expirationTimestamp":"${expires(600)}"}}'`,
  );
  const exec = `{ exec: { apiVersion: client.authentication.k8s.io/v1, command: sh, args: [${script}], interactiveMode: Never } }`;
  using connected = connect(server.url, exec);
  expect(await connected.api.get('/')).toEqual({ seen: 'Bearer t1' });
  expect(await connected.api.get('/')).toEqual({ seen: 'Bearer t1' });
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 601_000 });
  expect(await connected.api.get('/')).toEqual({ seen: 'Bearer t2' });
});

test('a token file or exec plugin that fails is weather', async () => {
  const noFile = '{ auth-provider: { name: tokenFile, config: { tokenFile: /no/such/token } } }';
  const noPlugin = '{ exec: { apiVersion: client.authentication.k8s.io/v1, command: /no/such/plugin } }';
  for (const user of [noFile, noPlugin]) {
    using connected = connect('http://127.0.0.1:1', user);
    const error = await connected.api.get('/').catch((refused: unknown) => refused);
    expect(error).toMatchObject({ name: 'KubeError', code: 'unreachable', isWeather: true });
  }
});

const answers: [status: number, reason: string | undefined, code: string, isWeather: boolean][] = [
  [400, 'BadRequest', 'refused', false],
  [401, 'Unauthorized', 'unauthorized', true],
  [403, 'Forbidden', 'forbidden', false],
  [404, 'NotFound', 'not-found', false],
  [409, 'Conflict', 'conflict', false],
  [409, 'AlreadyExists', 'already-exists', false],
  [410, 'Expired', 'gone', false],
  [422, 'Invalid', 'invalid', false],
  [429, 'TooManyRequests', 'overloaded', true],
  [500, 'InternalError', 'overloaded', true],
  [503, undefined, 'overloaded', true],
];

for (const [status, reason, code, isWeather] of answers) {
  test(`${status} ${reason ?? 'without a body'} is ${code}`, async () => {
    await using server = await serve((_, response) => {
      if (reason === undefined) response.writeHead(status).end('<html>gateway</html>');
      else json(response, status, { kind: 'Status', message: 'why', reason, code: status });
    });
    using connected = connect(server.url);
    const error = await connected.api.get('/x').catch((refused: unknown) => refused);
    expect(error).toBeInstanceOf(KubeError);
    expect(error).toMatchObject({
      code,
      status,
      isWeather,
      message: `GET /x: ${reason ? 'why' : `<html>gateway</html>`}`,
    });
  });
}

test('Retry-After is told in milliseconds, from the header or from the Status', async () => {
  await using server = await serve(({ url }, response) => {
    if (url === '/header') json(response, 429, {}, { 'retry-after': '3' });
    else json(response, 504, { details: { retryAfterSeconds: 1 } });
  });
  using connected = connect(server.url);
  expect(await connected.api.get('/header').catch((error: unknown) => error)).toMatchObject({ retryAfterMs: 3000 });
  expect(await connected.api.get('/status').catch((error: unknown) => error)).toMatchObject({ retryAfterMs: 1000 });
});

test('a request that gets no answer is given up after the idle limit', async () => {
  await using server = await serve(() => undefined);
  using connected = connect(server.url, '{}', 20);
  const error = await connected.api.get('/silent').catch((given: unknown) => given);
  expect(error).toMatchObject({ code: 'unreachable', message: 'GET /silent: no answer for 0.02 s' });
});

test('an answer that breaks off, or is not JSON, is weather', async () => {
  await using server = await serve(({ url }, response) => {
    if (url === '/html') response.writeHead(200).end('<html>');
    else response.writeHead(200, { 'content-length': 100 }).write('{', () => response.destroy());
  });
  using connected = connect(server.url);
  for (const path of ['/broken', '/html']) {
    const error = await connected.api.get(path).catch((given: unknown) => given);
    expect(error).toMatchObject({ code: 'unreachable', status: undefined });
  }
});

test('a base path of the server, a query and a body arrive as they should', async () => {
  await using server = await serve(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method, url, headers } = request;
    json(response, 200, { method, url, type: headers['content-type'], body: Buffer.concat(chunks).toString() });
  });
  using connected = connect(`${server.url}/clusters/one/`);
  expect(
    await connected.api.patch('/api/v1/pods', 'json', [{ op: 'remove', path: '/ü' }], { query: { a: 'b c' } }),
  ).toEqual({
    method: 'PATCH',
    url: '/clusters/one/api/v1/pods?a=b+c',
    type: 'application/json-patch+json',
    body: '[{"op":"remove","path":"/ü"}]',
  });
});

test('requests one after another share a connection', async () => {
  const ports = new Set<number | undefined>();
  await using server = await serve(({ socket }, response) => {
    ports.add(socket.remotePort);
    json(response, 200, {});
  });
  using connected = connect(server.url);
  for (let n = 0; n < 5; n += 1) await connected.api.get('/');
  expect(ports.size).toBe(1);
});

test('a kubeconfig without a current cluster is refused with a sentence', () => {
  expect(
    () => new KubeApi(loadCredentials({ text: 'apiVersion: v1\nkind: Config\nclusters: []\nusers: []\ncontexts: []' })),
  ).toThrow('the kubeconfig has no current cluster');
});

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => unknown) {
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function connect(url: string, user = '{}', idleMs = 10_000) {
  const text = `
apiVersion: v1
kind: Config
current-context: c
clusters: [{ name: c, cluster: { server: '${url}', insecure-skip-tls-verify: true } }]
users: [{ name: c, user: ${user} }]
contexts: [{ name: c, context: { cluster: c, user: c } }]`;
  const api = new KubeApi(loadCredentials({ text }), { idleMs });
  return { api, [Symbol.dispose]: () => api.close() };
}

function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), 'hawser-kube-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

function json(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
