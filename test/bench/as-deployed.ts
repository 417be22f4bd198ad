import { readFile } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

/**
 * How a manifest of `deploy/base/` runs a program: the words before its flags, for another Node.js and another place of its bundle.
 * @param bundle path of the program's bundle.
 */
export async function asDeployed(workload: Deployed, bundle: string): Promise<readonly [string, ...string[]]> {
  const { env, nodeFlags } = await deployed(workload);
  return ['env', ...env.map(({ name, value }) => `${name}=${value}`), process.execPath, ...nodeFlags, bundle];
}

/** The flags that Node.js has there. */
export async function nodeFlagsAsDeployed(workload: Deployed): Promise<readonly string[]> {
  return (await deployed(workload)).nodeFlags;
}

interface Deployed {
  readonly manifest: string;
  /** Its name in the manifest's Deployment or DaemonSet, `<name>.yaml`. */
  readonly container: string;
}

async function deployed({ manifest, container }: Deployed) {
  const text = await readFile(new URL(`../../deploy/base/${manifest}`, import.meta.url), 'utf8');
  const documents = parseAllDocuments(text).map((document): unknown => document.toJS());
  const workloads = documents.flatMap((document) => Workload.safeParse(document).data ?? []);
  const found = workloads.flatMap(({ spec }) => spec.template.spec.containers).find(({ name }) => name === container);
  if (!found) throw new Error(`deploy/base/${manifest} has no container named ${container}`);
  return { env: found.env, nodeFlags: found.command.slice(1, found.command.indexOf('--config') - 1) };
}

const Workload = z.object({
  kind: z.enum(['DaemonSet', 'Deployment']),
  spec: z.object({
    template: z.object({
      spec: z.object({
        containers: z.array(
          z.object({
            name: z.string(),
            command: z.array(z.string()),
            env: z.array(z.object({ name: z.string(), value: z.string() })).default([]),
          }),
        ),
      }),
    }),
  }),
});
