/**
 * What went wrong, as a caller would branch on it. `unreachable` and `overloaded` are the weather: the same request may succeed later.
 */
export type KubeErrorCode =
  | 'unreachable'
  | 'overloaded'
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'already-exists'
  | 'conflict'
  | 'gone'
  | 'invalid'
  | 'refused';

/** An answer of the API server other than 2xx, or none at all. */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  readonly code: KubeErrorCode;
  /** HTTP status, or the `code` of an `ERROR` event; undefined when no answer came. */
  readonly status: number | undefined;
  /** From `Retry-After` or `details.retryAfterSeconds`. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: KubeErrorCode,
    message: string,
    options: { readonly status?: number; readonly retryAfterMs?: number; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
  }

  /** Whether the same request may succeed later. Credentials count: they rotate, and RBAC may arrive after us. */
  get isWeather(): boolean {
    return this.code === 'unreachable' || this.code === 'overloaded' || this.code === 'unauthorized';
  }
}

/** The error for a `metav1.Status` (or whatever else a proxy answered) that came with an HTTP status. */
export function errorForStatus(what: string, status: number, body: unknown, retryAfterHeader?: string): KubeError {
  const answer = isRecord(body) ? body : {};
  const message = typeof answer.message === 'string' ? answer.message : `HTTP ${status}`;
  const details = isRecord(answer.details) ? answer.details : {};
  const retryAfterSeconds = Number(retryAfterHeader ?? details.retryAfterSeconds ?? Number.NaN);
  // A resourceVersion the server has not reached, as after a restore of etcd: no waiting will help, a new list will.
  const isAhead = status === 504 && message.includes('Too large resource version');
  return new KubeError(isAhead ? 'gone' : codeFor(status, answer.reason), `${what}: ${message}`, {
    status,
    ...(Number.isFinite(retryAfterSeconds) ? { retryAfterMs: retryAfterSeconds * 1000 } : {}),
  });
}

/** The error for a request that got no answer, or only a part of one. */
export function errorForSocket(what: string, cause: unknown): KubeError {
  if (cause instanceof KubeError) return cause;
  return new KubeError('unreachable', `${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}

function codeFor(status: number, reason: unknown): KubeErrorCode {
  switch (status) {
    case 401:
      return 'unauthorized';
    case 403:
      return 'forbidden';
    case 404:
      return 'not-found';
    case 409:
      return reason === 'AlreadyExists' ? 'already-exists' : 'conflict';
    case 410:
      return 'gone';
    case 422:
      return 'invalid';
    case 429:
      return 'overloaded';
    default:
      return status >= 500 ? 'overloaded' : 'refused';
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
