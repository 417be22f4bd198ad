import { afterAll, beforeAll } from 'vitest';
import { KubeApi } from '#controller/kube/api.ts';
import { loadCredentials } from '#controller/kube/credentials.ts';
import { describeContract } from '#test/kube/contract.ts';
import { type KubeApi as StandIn, startKubeApi } from './kube-api/server.ts';

let standIn: StandIn;
let api: KubeApi;

beforeAll(async () => {
  standIn = await startKubeApi();
  api = new KubeApi(loadCredentials({ text: standIn.kubeconfig() }));
});
afterAll(async () => {
  api.close();
  await standIn[Symbol.asyncDispose]();
});

describeContract('the stand-in of the lab', () => ({ api, forgetHistory: () => standIn.compact() }));
