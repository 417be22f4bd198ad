import { readFile } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

/**
 * How a manifest of `deploy/base/` runs a program: the words before its flags, for another Node.js and another place of its bundle.
 * @param container its name in the manifest's Deployment or DaemonSet, `<name>.yaml`.
 * @param bundle path of the program's bundle.
 */
export async function asDeployed(
  { manifest, container }: { readonly manifest: string; readonly container: string },
  bundle: string,
): Promise<readonly [string, ...string[]]> {
  const text = await readFile(new URL(`../../deploy/base/${manifest}`, import.meta.url), 'utf8');
  const documents = parseAllDocuments(text).map((document): unknown => document.toJS());
  const workloads = documents.flatMap((document) => workload.safeParse(document).data ?? []);
  const found = workloads.flatMap(({ spec }) => spec.template.spec.containers).find(({ name }) => name === container);
  if (!found) throw new Error(`deploy/base/${manifest} has no container named ${container}`);
  const nodeFlags = found.command.slice(1, found.command.indexOf('--config') - 1);
  return ['env', ...found.env.map(({ name, value }) => `${name}=${value}`), process.execPath, ...nodeFlags, bundle];
}

const workload = z.object({
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
