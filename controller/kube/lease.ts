import { pathOf } from './kinds.ts';
import { Fields } from './objects/fields.ts';

/** A coordination.k8s.io/v1 Lease as leader election uses it. */
export interface Lease {
  readonly namespace: string;
  readonly name: string;
  /** Absent on one that is still to be made. */
  readonly resourceVersion?: string;
  /** '' when it was given up. */
  readonly holder: string;
  /** How long the holder may go without renewing. */
  readonly durationMs: number;
  /** How often the holder has changed. */
  readonly transitions: number;
  /** When the holder became it, as the API spells times; absent until someone did. */
  readonly acquireTime?: string;
}

const leases = { apiVersion: 'coordination.k8s.io/v1', resource: 'leases' };

export function leasePath(namespace: string, name?: string): string {
  return pathOf(leases, name === undefined ? { namespace } : { namespace, name });
}

/** Throws `MalformedField` when `json` is no Lease. */
export function parseLease(json: unknown): Lease {
  const object = new Fields(json);
  const metadata = object.needObject('metadata');
  const spec = object.object('spec');
  const acquireTime = spec?.string('acquireTime');
  return {
    namespace: metadata.needString('namespace'),
    name: metadata.needString('name'),
    resourceVersion: metadata.needString('resourceVersion'),
    holder: spec?.string('holderIdentity') ?? '',
    durationMs: (spec?.number('leaseDurationSeconds') ?? 0) * 1000,
    transitions: spec?.number('leaseTransitions') ?? 0,
    ...(acquireTime === undefined ? {} : { acquireTime }),
  };
}

/** The object to write; `nowMs` (since 1970) is when it is renewed, for people to read: candidates go by their own clocks. */
export function leaseObject(lease: Lease, nowMs: number): object {
  const { namespace, name, resourceVersion } = lease;
  return {
    apiVersion: leases.apiVersion,
    kind: 'Lease',
    metadata: { namespace, name, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
    spec: {
      holderIdentity: lease.holder,
      leaseDurationSeconds: Math.max(1, Math.round(lease.durationMs / 1000)),
      leaseTransitions: lease.transitions,
      acquireTime: lease.acquireTime ?? microTime(nowMs),
      renewTime: microTime(nowMs),
    },
  };
}

/** `metav1.MicroTime`: six digits after the point, no more and no fewer. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
