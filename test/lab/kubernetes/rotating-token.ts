import { rename, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubeApi } from '#controller/kube/api.ts';
import { KubeError } from '#controller/kube/errors.ts';
import { Fields } from '#controller/kube/objects/fields.ts';

export interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
}

/** A token of a ServiceAccount that is good at any time, while this is not disposed of. */
export interface RotatingToken extends AsyncDisposable {
  readonly current: string;
}

export interface TokenOptions {
  /** Where the token is written to each time, as kubelet projects it into a pod. */
  readonly file?: string;
  /** Far less than its ten minutes of life when absent. */
  readonly renewEverySeconds?: number;
  readonly log?: (line: string) => void;
}

/** Asks for tokens by TokenRequest, over and over. The shortest life the API server grants is ten minutes. */
export async function followToken(
  api: KubeApi,
  { namespace, name }: ServiceAccount,
  { file, renewEverySeconds = 240, log = () => {} }: TokenOptions = {},
): Promise<RotatingToken> {
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 600 } };
  const renew = async (): Promise<string> => {
    const answer = await api.create(`/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`, request);
    const token = new Fields(answer).needObject('status').needString('token');
    if (file !== undefined) {
      // Whoever reads it finds the one or the other, never half of one.
      await writeFile(`${file}.new`, token, { mode: 0o600 });
      await rename(`${file}.new`, file);
    }
    return token;
  };
  const end = new AbortController();
  const following = { current: await renew() };
  const renewing = (async () => {
    for (let waitSeconds = renewEverySeconds; ; ) {
      await delay(waitSeconds * 1000, undefined, { signal: end.signal, ref: false }).catch(() => undefined);
      if (end.signal.aborted) return;
      try {
        following.current = await renew();
        waitSeconds = renewEverySeconds;
      } catch (error) {
        if (!(error instanceof KubeError)) throw error;
        log(`token of ${namespace}/${name}: ${error.message}`);
        waitSeconds = 5;
      }
    }
  })();
  return Object.assign(following, {
    [Symbol.asyncDispose]: async () => {
      end.abort();
      await renewing;
    },
  });
}
