import { closeSync, openSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { KubeApi } from '../kube/api.ts';
import { loadCredentials } from '../kube/credentials.ts';
import { record } from './recorder.ts';

// `npm run record -- FILE`: makes a support case out of what a cluster does, until Ctrl-C.
const usage = 'usage: npm run record -- FILE [--kubeconfig FILE] [--namespace NAMESPACE]';

const options = optionsOf(process.argv.slice(2));
if (options === undefined) {
  console.error(usage);
  process.exit(2);
}
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

try {
  const { file, kubeconfig, namespace } = options;
  const api = new KubeApi(loadCredentials(kubeconfig === undefined ? {} : { file: kubeconfig }));
  const descriptor = openSync(file, 'w');
  let lines = 0;
  const write = (line: string) => {
    // Whole lines at once: a recorder that is killed leaves a recording.
    writeSync(descriptor, `${line}\n`);
    lines += 1;
  };
  await record(
    {
      api,
      signal: stop.signal,
      write,
      ...(namespace !== undefined && { namespace }),
      onNotice: (kind, notice) => {
        if (notice.type === 'failed') console.error(`record: ${kind}: ${notice.error.message}; trying again`);
        if (notice.type === 'malformed') console.error(`record: ${kind} ${notice.key}: ${notice.problem.message}`);
      },
    },
    () => console.error(`record: ${lines} objects are there; recording what happens, Ctrl-C ends it`),
  );
  closeSync(descriptor);
  api.close();
  console.error(`record: ${lines} events in ${file}`);
} catch (error) {
  console.error(`record: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
  process.exitCode = 1;
}

function optionsOf(
  args: readonly string[],
): { readonly file: string; readonly kubeconfig?: string; readonly namespace?: string } | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { kubeconfig: { type: 'string' }, namespace: { type: 'string' } },
    });
    const [file, ...others] = positionals;
    return file === undefined || others.length > 0 ? undefined : { ...values, file };
  } catch {
    return undefined;
  }
}
