import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import type { KubeApi } from '#controller/kube/api.ts';
import * as kinds from '#controller/kube/kinds.ts';
import { type AnyKind, ContractClient } from '../contract-client.ts';

/** A server under the contract, to be used as an administrator. */
export interface Contracted {
  readonly api: KubeApi;
  /** Makes the server forget its history so far; a real one does with its first compaction, or has none from before it started. */
  forgetHistory(): void;
}

export const configMaps: AnyKind = { apiVersion: 'v1', kind: 'ConfigMap', resource: 'configmaps', namespaced: true };

/** What the parts of the contract stand on: the server, a namespace of their own in it, and bodies of objects. */
export type Ground = ReturnType<typeof groundOf>;

/** To be called in a `describe`, whose tests then have the namespace. */
export function groundOf(connect: () => Contracted) {
  const namespace = `contract-${randomUUID().slice(0, 8)}`;
  const client = (kind: AnyKind) => new ContractClient(connect().api, kind, namespace);
  beforeAll(async () => {
    await client(kinds.namespaces).create({ name: namespace });
  });
  afterAll(async () => {
    await client(kinds.namespaces).delete(namespace);
    await client(kinds.namespaces).gone(namespace);
  });
  return {
    connect,
    namespace,
    client,
    pod: (nodeName?: string) => ({
      spec: { containers: [{ name: 'c', image: 'none' }], ...(nodeName === undefined ? {} : { nodeName }) },
    }),
    vmi: { spec: { domain: { devices: {} } } },
    claim: { spec: { network: 'default', interface: 'eth0' } },
  };
}
