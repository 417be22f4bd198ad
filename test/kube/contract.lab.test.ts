import { describeContract } from './contract.ts';
import { describeOnRealKube } from './on-real-kube.ts';

describeOnRealKube('contract', (cluster) => {
  // What was before a kind's CRD, and so before its watches, is in no history.
  describeContract('a real kube-apiserver', () => ({ api: cluster().api, forgetHistory: () => undefined }));
});
