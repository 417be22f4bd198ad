import { createServer } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Service, serveSegment } from '../service.ts';
import { systemClock } from '../system-clock.ts';
import { framesTransport } from '../transport/frames.ts';
import { socketsTransport } from '../transport/sockets.ts';
import type { OpenTransport } from '../transport/transport.ts';
import { readConfig, type SegmentConfig } from './config.ts';
import { metricsText } from './metrics.ts';

/** Serves every segment of the configuration until SIGTERM or SIGINT. `say` gets one line per event. */
export async function serve(file: string, say: (line: string) => void): Promise<void> {
  const { segments, metricsPort } = await readConfig(file);
  const services = new Map<string, Service>();
  for (const config of segments) {
    const { name } = config.segment;
    const service = serveSegment({
      segment: config.segment,
      guests: config.guests,
      open: transportOf(config),
      clock: systemClock,
      onTrouble: (error, retryMs) => say(`${name}: ${error.message}; again in ${retryMs / 1000} s`),
      ...(config.advertises && { advertising: { settings: config.settings, isRouter: config.router !== undefined } }),
    });
    services.set(name, service);
    void service.ready.then(() => say(`${name}: answering ${config.guests.byMac.size} guests on ${config.device}`));
  }
  void Promise.all([...services.values()].map(({ ready }) => ready)).then(dropGarbage);
  const metrics = metricsPort === undefined ? undefined : metricsServer(metricsPort, services);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });
  metrics?.close();
  await Promise.all([...services.values()].map((service) => service.close()));
}

/** Reading many guests leaves several times their size behind, which V8 would keep for as long as nothing presses it. */
function dropGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

function transportOf({ transport, device, netns, segment, mac, guests, router }: SegmentConfig): OpenTransport {
  const shared = {
    ...(netns !== undefined && { netns }),
    ...(segment.serverId !== undefined && { serverId: segment.serverId }),
    guests,
  };
  const answersArp = segment.serverId !== undefined && !segment.gateways.includes(segment.serverId);
  return transport === 'sockets'
    ? socketsTransport({ ...shared, device })
    : framesTransport({ ...shared, parent: device, mac, answersArp, ...(router && { router }) });
}

function metricsServer(port: number, services: ReadonlyMap<string, Service>) {
  const server = createServer((request, response) => {
    const isMetrics = request.url === '/metrics';
    response.writeHead(isMetrics ? 200 : 404, { 'content-type': 'text/plain; version=0.0.4' });
    response.end(isMetrics ? metricsText(services) : 'only /metrics is here\n');
  });
  return server.listen(port, '127.0.0.1');
}
