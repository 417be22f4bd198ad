import { text } from 'node:stream/consumers';
import type { KubeApi } from '#controller/kube/api.ts';
import { apiList } from '#test/kube/api-object.ts';

/** Writes the API server has answered so far, by resource, whoever sent them (its `apiserver_request_total`). */
export async function apiWrites(api: KubeApi): Promise<ReadonlyMap<string, number>> {
  const writes = new Map<string, number>();
  for (const line of (await text(await api.stream('/metrics'))).split('\n')) {
    const labels = /^apiserver_request_total\{(.*)\} (\S+)$/.exec(line);
    const resource = /\bresource="([^"]*)"/.exec(labels?.[1] ?? '')?.[1];
    const isWrite = /\bverb="(POST|PUT|PATCH|APPLY|DELETE|DELETECOLLECTION)"/.test(labels?.[1] ?? '');
    if (resource !== undefined && isWrite) writes.set(resource, (writes.get(resource) ?? 0) + Number(labels?.[2]));
  }
  return writes;
}

/** Events that the controller has made so far; others make some, too. */
export async function eventsOfOurs(api: KubeApi): Promise<number> {
  const list = await api.get('/api/v1/events', { query: { fieldSelector: 'reportingComponent=hawser' } });
  return apiList(list).names.length;
}
