import { readFile } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

/**
 * How the DaemonSet of `deploy/` runs the agent: the words before its flags, for another Node.js and another place of its bundle.
 * @param bundle path of the agent's bundle.
 */
export async function asDeployed(bundle: string): Promise<readonly [string, ...string[]]> {
  const text = await readFile(new URL('../../../deploy/base/node-agent.yaml', import.meta.url), 'utf8');
  const documents = parseAllDocuments(text).map((document): unknown => document.toJS());
  const [daemonSet] = documents.flatMap((document) => manifest.safeParse(document).data ?? []);
  const agent = daemonSet?.spec.template.spec.containers.find(({ name }) => name === 'agent');
  if (!agent) throw new Error('deploy/base/node-agent.yaml has no container named agent');
  const nodeFlags = agent.command.slice(1, agent.command.indexOf('--config') - 1);
  return ['env', ...agent.env.map(({ name, value }) => `${name}=${value}`), process.execPath, ...nodeFlags, bundle];
}

const manifest = z.object({
  kind: z.literal('DaemonSet'),
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
