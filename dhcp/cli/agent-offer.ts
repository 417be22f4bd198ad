import { request } from 'node:http';
import { ConfigError } from './config-error.ts';

/**
 * What the node agent behind `socketPath` would offer a VM (`namespace/name`, or `namespace/name/nic`) on its node.
 *
 * @throws ConfigError when nobody listens there, or the agent has no such guest
 */
export function agentOffer(socketPath: string, vm: string): Promise<string> {
  const path = `/offers/vm/${vm.split('/').map(encodeURIComponent).join('/')}`;
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        if (response.statusCode === 200) resolve(text.trimEnd());
        else reject(new ConfigError([`--vm: ${text.trim()}`]));
      });
      response.on('error', reject);
    });
    call.on('error', (error) => reject(new ConfigError([`--agent: ${socketPath}: ${error.message}`])));
    call.end();
  });
}
