import type { ServerResponse } from 'node:http';

/** The client hung up before it had its answer. */
export class CallerGone extends Error {
  override readonly name = 'CallerGone';

  constructor() {
    super('the caller gave up and closed the connection');
  }
}

/** A signal that is aborted when the client of a response hangs up before it is answered. */
export function callerGone(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) gone.abort(new CallerGone());
  });
  return gone.signal;
}
