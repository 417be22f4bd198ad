import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { KubeApi } from '#controller/kube/api.ts';
import { loadCredentials } from '#controller/kube/credentials.ts';
import { followToken } from '#test/lab/kubernetes/rotating-token.ts';
import { describeOnRealKube } from './on-real-kube.ts';
import { fetchFrom } from './transport.ts';

describeOnRealKube('credentials of a ServiceAccount', (cluster) => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hawser-credentials-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllEnvs();
  });

  test('a token file is followed when the token in it is no longer good', async () => {
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, await cluster().serviceAccountToken('default', 'rotating'));
    const { url, ca } = cluster();
    const kubeconfig = `
apiVersion: v1
kind: Config
current-context: c
clusters: [{ name: c, cluster: { server: '${url}', certificate-authority-data: ${Buffer.from(ca).toString('base64')} } }]
users: [{ name: c, user: { tokenFile: ${tokenFile} } }]
contexts: [{ name: c, context: { cluster: c, user: c } }]`;
    const api = new KubeApi(loadCredentials({ text: kubeconfig }));
    const whoAmI = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    const ask = () => api.create('/apis/authentication.k8s.io/v1/selfsubjectreviews', whoAmI);
    expect(await ask()).toMatchObject({ status: { userInfo: { username: 'system:serviceaccount:default:rotating' } } });

    // A token ends with the ServiceAccount it was given to, even when one of the same name is made anew.
    await cluster().kubectl(['delete', 'serviceaccount', 'rotating']);
    const next = await cluster().serviceAccountToken('default', 'rotating');
    await expect(
      vi.waitUntil(
        () =>
          ask().then(
            () => false,
            (error: unknown) => error,
          ),
        { timeout: 30_000 },
      ),
    ).resolves.toMatchObject({
      code: 'unauthorized',
      isWeather: true,
    });
    writeFileSync(tokenFile, next);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
    expect(await ask()).toMatchObject({ status: { userInfo: { username: 'system:serviceaccount:default:rotating' } } });
    api.close();
  });

  test('a token that is followed is another one after each renewal, and good each time', async () => {
    const file = join(folder, 'followed');
    const { api, url, ca, kubectl } = cluster();
    await kubectl(['create', 'serviceaccount', 'followed']);
    const account = { namespace: 'default', name: 'followed' };
    await using token = await followToken(api, account, { file, renewEverySeconds: 1 });
    const first = token.current;
    const seen = new Set<string>();
    const send = fetchFrom({ url, ca }, () => readFileSync(file, 'utf8'));
    await vi.waitUntil(
      async () => {
        expect((await send('/version')).status).toBe(200);
        return seen.add(token.current).size > 2;
      },
      { timeout: 20_000 },
    );
    expect(seen).toContain(first);
  });

  test('fetch reaches the API with the same credentials', async () => {
    const token = await cluster().serviceAccountToken('default', 'fetching');
    const send = fetchFrom(cluster(), () => token);
    expect((await send('/version')).status).toBe(200);
    expect((await send('/api/v1/nodes')).status).toBe(403);
  });
});
