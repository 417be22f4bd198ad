import type { FastifyInstance } from 'fastify';
import type { RequestedPorts } from '../requested-ports.ts';
import type { GuestServers } from './guest-servers.ts';

/** `GET /offers/<logical port>`: what would the guest be offered on this node? No packet is sent; the answer is for a person. */
export function serveOffers(app: FastifyInstance, requested: RequestedPorts, servers: GuestServers): void {
  app.get<{ Params: { '*': string } }>('/offers/*', async (request, reply) => {
    const logicalPort = request.params['*'];
    const port = requested.get(logicalPort);
    if (port === undefined) {
      return await reply.code(404).send(`port ${logicalPort} is not requested for this node: nobody here answers it\n`);
    }
    const lines = servers.offered(port) ?? [
      `OVN answers ${port.mac} on every node; this node's server would say nothing`,
    ];
    return await reply.type('text/plain').send(`${lines.join('\n')}\n`);
  });
}
