import { request } from 'node:http';
import { z } from 'zod';
import type { Attachment } from '../attachments.ts';

/** The node agent refused, in its own words. */
export class AgentRefused extends Error {
  override readonly name = 'AgentRefused';
}

/**
 * Asks the node agent for a tap of a logical switch port on `br-int`; it answers when the switch forwards for it.
 *
 * @param nodeNetns name of the node's namespace under /run/netns, where the tap is
 * @throws AgentRefused; the socket's error when there is no agent
 */
export async function attachDirectTap(
  agentSocket: string,
  logicalPort: string,
  nodeNetns: string,
): Promise<Attachment> {
  const path = `/ports/${encodeURIComponent(logicalPort)}`;
  const { tap, mac } = tapAnswer.parse(JSON.parse(await ask(agentSocket, 'PUT', path)));
  return {
    tap,
    mac,
    netns: nodeNetns,
    detach: async () => {
      await ask(agentSocket, 'DELETE', path);
    },
  };
}

const tapAnswer = z.object({ tap: z.string(), mac: z.string() });

async function ask(socketPath: string, method: string, path: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const asked = request({ socketPath, method, path }, (answer) => {
    let body = '';
    answer.setEncoding('utf8');
    answer.on('data', (text: string) => {
      body += text;
    });
    answer.on('end', () => {
      const { statusCode = 0 } = answer;
      if (statusCode >= 200 && statusCode < 300) resolve(body);
      else reject(new AgentRefused(`${method} ${path}: ${statusCode} ${body}`));
    });
    answer.on('error', reject);
  });
  asked.on('error', reject);
  asked.end();
  return promise;
}
