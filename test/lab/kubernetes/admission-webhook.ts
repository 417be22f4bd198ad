import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubeApi } from '#controller/kube/api.ts';
import { Fields } from '#controller/kube/objects/fields.ts';
import { isJsonObject, type JsonObject } from '../kube-api/object.ts';
import { run } from '../topology/command.ts';

export interface AdmissionWebhookOptions {
  readonly api: KubeApi;
  /** What becomes of an object of KubeVirt's that is created. */
  readonly admit: (object: JsonObject) => JsonObject;
  /** Where its key and certificate go. */
  readonly folder: string;
  /** Makes a port of ours reachable for an API server that is on another network. */
  readonly reachBack?: (port: number) => Promise<void>;
}

/** A mutating admission webhook, as virt-api is one: the API server asks it about every KubeVirt object that is created. */
export async function startAdmissionWebhook({
  api,
  admit,
  folder,
  reachBack,
}: AdmissionWebhookOptions): Promise<AsyncDisposable> {
  const [keyFile, certificateFile] = [join(folder, 'webhook.key'), join(folder, 'webhook.crt')];
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30'],
    ...['-subj', '/CN=virt-api', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', keyFile, '-out', certificateFile],
  ]);
  const certificate = await readFile(certificateFile);
  const server = createServer({ key: await readFile(keyFile), cert: certificate }, async (request, response) => {
    const body = JSON.stringify(reviewed(await json(request), admit));
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  await reachBack?.(address.port);
  await api.create('/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations', {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: 'virt-api-mutator' },
    webhooks: [
      {
        name: 'mutator.kubevirt.io',
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        failurePolicy: 'Fail',
        clientConfig: {
          url: `https://127.0.0.1:${address.port}/mutate`,
          caBundle: certificate.toString('base64'),
        },
        rules: [{ apiGroups: ['kubevirt.io'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['*'] }],
      },
    ],
  });
  await untilAsked(api);
  return {
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** The API server learns of a webhook a moment after it is there. */
async function untilAsked(api: KubeApi): Promise<void> {
  const vm = {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachine',
    metadata: { name: 'asked' },
    spec: { runStrategy: 'Halted', template: { spec: { domain: { devices: {} } } } },
  };
  const path = '/apis/kubevirt.io/v1/namespaces/default/virtualmachines';
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await delay(100)) {
    const answer = await api.create(path, vm, { query: { dryRun: 'All' } });
    const spec = new Fields(answer).needObject('spec').needObject('template').needObject('spec');
    if (spec.object('domain')?.object('machine') !== undefined) return;
  }
  throw new Error('the API server does not ask the admission webhook');
}

/** An AdmissionReview answered: what `admit` makes of the object, as a JSON patch of its top-level fields. */
function reviewed(review: unknown, admit: (object: JsonObject) => JsonObject): object {
  const request = new Fields(review).needObject('request');
  const object = isJsonObject(review) && isJsonObject(review.request) ? review.request.object : undefined;
  const patch = isJsonObject(object)
    ? Object.entries(admit(object)).map(([field, value]) => ({ op: 'add', path: `/${field}`, value }))
    : [];
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid: request.needString('uid'),
      allowed: true,
      patchType: 'JSONPatch',
      patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
    },
  };
}
