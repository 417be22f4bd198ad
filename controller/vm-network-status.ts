import type { Problem } from './engine/facts.ts';
import type { Problems } from './engine/problems.ts';
import { isSame } from './engine/same.ts';
import type { Tables, VmNetworkStatus } from './features/tables.ts';
import { type Condition, withTransitionTimes } from './kube/conditions.ts';
import { virtualMachineNetworks } from './kube/kinds.ts';
import { isJsonObject } from './kube/objects/fields.ts';
import type { Writer } from './kube/writes.ts';

/**
 * Keeps VirtualMachineNetworks saying what is so, off every critical path: only where what the API server has differs, each of them
 * once at a time. A VM whose last migration is no longer known keeps what was said of it.
 */
export class VmNetworkStatusKeeper {
  readonly #tables: Tables;
  readonly #writer: Pick<Writer, 'write'>;
  readonly #now: () => number;
  readonly #inFlight = new Set<string>();
  /** Keys whose status may differ from what is written. */
  readonly #dirty = new Set<string>();
  readonly #problems: Problems;

  /** `now`: milliseconds since 1970. */
  constructor(tables: Tables, problems: Problems, writer: Pick<Writer, 'write'>, now: () => number = Date.now) {
    this.#tables = tables;
    this.#problems = problems;
    this.#writer = writer;
    this.#now = now;
    tables.vmNetworkStatuses.onChange((key) => this.#dirty.add(key));
    tables.vmNetworks.onChange((key) => this.#dirty.add(key));
    const look = ({ object: { kind, namespace, name } }: Problem) => {
      if (kinds.some((one) => one === kind)) this.#dirty.add(`${namespace}/${name}`);
    };
    problems.listeners.add({ problemSaid: look, problemUnsaid: look });
  }

  /** Call it now and then: what changed several times since the last call is written once. */
  report(): void {
    for (const key of [...this.#dirty]) {
      if (this.#inFlight.has(key)) continue;
      this.#dirty.delete(key);
      const status = this.#tables.vmNetworkStatuses.get(key);
      if (status !== undefined) this.#tell(key, status);
    }
  }

  #tell(key: string, status: VmNetworkStatus): void {
    const [namespace = '', name = ''] = key.split('/');
    const place = { kind: virtualMachineNetworks, namespace, name };
    const found = this.#tables.vmNetworks.get(key);
    if (found === undefined) {
      const { kind, name: ownerName, uid } = status.owner;
      const { apiVersion } = virtualMachineNetworks;
      const ownerReferences = [{ apiVersion: 'kubevirt.io/v1', kind, name: ownerName, uid, controller: true }];
      const metadata = { namespace, name, ownerReferences };
      // Once it is there, the watch shows it, and its status is next.
      this.#send(key, () =>
        this.#writer.write(place, {
          verb: 'create',
          body: { apiVersion, kind: virtualMachineNetworks.kind, metadata },
        }),
      );
      return;
    }
    const body = statusPatch(withProblems(status, this.#problemsOf(namespace, name)), found.status, this.#now());
    if (body === undefined) return;
    this.#send(key, () =>
      this.#writer.write(place, { verb: 'patchStatus', body: { metadata: { uid: found.uid }, status: body } }),
    );
  }

  #problemsOf(namespace: string, name: string): readonly Problem[] {
    const problems = kinds.flatMap((kind) => this.#problems.of({ kind, namespace, name }));
    return problems.sort((a, b) => (a.sentence < b.sentence ? -1 : 1));
  }

  #send(key: string, write: () => ReturnType<Writer['write']>): void {
    this.#inFlight.add(key);
    void write().then((result) => {
      this.#inFlight.delete(key);
      if (result.type !== 'written') this.#dirty.add(key);
    });
  }
}

/** Whose problems are said of a VM. */
const kinds = ['VirtualMachine', 'VirtualMachineInstance'] as const;

/**
 * Why a VM that runs lacks addresses, which each of its NICs may for a reason of its own, is said where it is seen that it lacks them; what
 * its guest is not told as asked, in a condition of its own, which is there only then.
 */
function withProblems(status: VmNetworkStatus, problems: readonly Problem[]): VmNetworkStatus {
  const untold = problems.filter(({ condition }) => condition === 'GuestSettings');
  const others = problems.filter((one) => !untold.includes(one));
  const messageOf = (all: readonly Problem[]) => all.map(({ sentence }) => sentence).join('; ');
  const [why] = others;
  return {
    ...status,
    ...(why !== undefined &&
      status.ready.reason === 'NoAddresses' && {
        ready: { status: 'False', reason: why.condition, message: messageOf(others) },
      }),
    ...(untold.length > 0 && { untoldSettings: messageOf(untold) }),
  };
}

/** The merge patch that makes `before` say what is so now; undefined when it does. What no longer holds is taken out. */
export function statusPatch(
  { ready, untoldSettings, port, mac, addresses, furtherNics, node, lastMigration }: VmNetworkStatus,
  before: unknown,
  nowMilliseconds: number,
): Readonly<Record<string, unknown>> | undefined {
  const said = isJsonObject(before) ? before : {};
  const conditionsBefore = conditionsOf(said.conditions);
  const untold = {
    type: 'GuestSettings',
    status: 'False',
    reason: 'NotAllTold',
    message: untoldSettings ?? '',
  } as const;
  const now = [{ type: 'Ready', ...ready }, ...(untoldSettings === undefined ? [] : [untold])];
  const conditions = withTransitionTimes(conditionsBefore, now, nowMilliseconds);
  const wanted: Readonly<Record<string, unknown>> = { conditions, port, mac, addresses, furtherNics, node };
  const changed = Object.entries(wanted).filter(([name, value]) => !isSame(said[name], value));
  const isMigrationSaid = lastMigration === undefined || isSame(said.lastMigration, lastMigration);
  if (changed.length === 0 && isMigrationSaid) return undefined;
  const patch = Object.fromEntries(changed.map(([name, value]) => [name, value ?? null]));
  return isMigrationSaid ? patch : { ...patch, lastMigration: replacing(said.lastMigration, lastMigration) };
}

/** A merge patch leaves what it does not name, so what the former migration had and this one has not is named, too. */
function replacing(before: unknown, after: object | undefined): object {
  const names = isJsonObject(before) ? Object.keys(before) : [];
  return { ...Object.fromEntries(names.map((name) => [name, null])), ...after };
}

function conditionsOf(conditions: unknown): readonly Condition[] {
  if (!Array.isArray(conditions)) return [];
  return conditions.flatMap((condition: unknown) => {
    if (!isJsonObject(condition)) return [];
    const { type, status, reason, message, lastTransitionTime } = condition;
    const known = (['True', 'False', 'Unknown'] as const).find((one) => one === status);
    if (known === undefined || typeof type !== 'string' || typeof lastTransitionTime !== 'string') return [];
    return [{ type, status: known, reason: String(reason), message: String(message), lastTransitionTime }];
  });
}
