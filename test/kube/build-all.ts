import { SetUpError } from '#test/setup/set-up-error.ts';
import { kubeAssets, multusPlugin, nodeAssets, upstreamSuite, whyNoKube, whyNoNodes } from './assets.ts';

// `node test/kube/build-all.ts`: what the suites on real Kubernetes run, before any of them does, because a build takes minutes and both
// cores. Nothing to do takes no time; what cannot be built is told, and then by the suites, too.
try {
  if (whyNoKube() === undefined) await kubeAssets(console.log);
  if (whyNoNodes() === undefined) {
    await nodeAssets(console.log);
    await upstreamSuite(console.log);
    await multusPlugin(console.log);
  }
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  console.error(`hawser: ${error.message}`);
}
