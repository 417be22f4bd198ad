import { readFileSync } from 'node:fs';
import type { Replay } from '#controller/replay/replay.ts';
import { parseObjects } from '#controller/replay/surroundings.ts';
import { freshReplay } from './recordings.ts';

export type Json = Readonly<Record<string, unknown>>;

/** An object as a watch tells of it. */
export interface KubeObject {
  readonly kind: string;
  readonly object: Json;
}

export function put(replay: Replay, ...objects: readonly KubeObject[]): Replay {
  for (const { kind, object } of objects) replay.apply({ type: 'MODIFIED', kind, object });
  return replay;
}

export function remove(replay: Replay, { kind, object }: KubeObject): void {
  replay.apply({ type: 'DELETED', kind, object });
}

/** What users are told, and of which of their objects. */
export async function problems(replay: Replay): Promise<readonly string[]> {
  await replay.core.settle();
  const all = [...replay.core.engine.board.problems];
  return all.map(({ object, sentence }) => `${object.kind} ${object.name}: ${sentence}`).sort();
}

/** The objects of `docs/examples/<name>.yaml`, with a VMI that runs for its VirtualMachine. */
export function withExample(name: string): Replay {
  const text = readFileSync(new URL(`../../docs/examples/${name}.yaml`, import.meta.url), 'utf8');
  const replay = freshReplay();
  for (const { kind, ...object } of parseObjects(text)) {
    put(replay, { kind, object });
    if (kind !== 'VirtualMachine') continue;
    const { metadata, spec } = Object(object);
    const ownerReferences = [{ kind, name: metadata.name, uid: metadata.uid, controller: true }];
    const instance = { metadata: { ...metadata, uid: 'vmi', ownerReferences }, spec: spec.template.spec };
    put(replay, { kind: 'VirtualMachineInstance', object: { ...instance, status: { nodeName: 'node-a' } } });
  }
  return replay;
}
