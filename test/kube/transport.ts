import tls from 'node:tls';

/**
 * `fetch` with paths of an API server, its own certificate authority and the bearer token of the moment. The authority is trusted by
 * this whole process from then on: `fetch` knows no other way.
 */
export function fetchFrom(
  server: { readonly url: string; readonly ca: string },
  token: () => string,
): (path: string, init?: RequestInit) => Promise<Response> {
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), server.ca]);
  return (path, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${token()}`);
    return fetch(new URL(path, server.url), { ...init, headers });
  };
}
