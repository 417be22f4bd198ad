import { type ConnectOptions, connect, type OvsdbClient } from '#ovsdb/client.ts';
import { FakeServer, type FakeServerOptions } from '#ovsdb/fake-server/fake-server.ts';
import type { Status } from '#ovsdb/status.ts';
import { untypedSchema } from './test-schema.ts';

/** A fake server with a client connected to it, and everything the client said of itself. */
export async function fakePair(
  server: Partial<FakeServerOptions> = {},
  client: Partial<ConnectOptions> = {},
): Promise<{ server: FakeServer; client: OvsdbClient; statuses: Status[]; [Symbol.asyncDispose](): Promise<void> }> {
  const fake = new FakeServer({ schema: untypedSchema, ...server });
  const statuses: Status[] = [];
  const connected = await connect({
    remotes: ['unix:/fake'],
    dial: fake.dial,
    backoff: { firstMs: 1, longestMs: 1 },
    onStatus: (status) => statuses.push(status),
    ...client,
  });
  return { server: fake, client: connected, statuses, [Symbol.asyncDispose]: () => connected.close() };
}

/** Resolves with the next status that `matches`. */
export function nextStatus(client: OvsdbClient, matches: (status: Status) => boolean): Promise<Status> {
  return new Promise((resolve) => {
    const stop = client.onStatus((status) => {
      if (!matches(status)) return;
      stop();
      resolve(status);
    });
  });
}

export const isSynced = (status: Status): boolean => status.kind === 'synced';
