import type { Replay } from '#controller/replay/replay.ts';

export type Json = Readonly<Record<string, unknown>>;

export function put(replay: Replay, kind: string, object: Json): void {
  replay.apply({ type: 'MODIFIED', kind, object });
}

export function remove(replay: Replay, kind: string, object: Json): void {
  replay.apply({ type: 'DELETED', kind, object });
}

export const network = (name: string, ...subnets: string[]): Json => ({
  metadata: { name, uid: `net-${name}` },
  spec: { topology: 'overlay', role: 'primary', subnets },
});

export const pod = (name: string, uid = `uid-${name}`, annotations: Json = {}): Json => ({
  metadata: { namespace: 'default', name, uid, annotations },
  spec: { nodeName: 'node-a' },
});

export const vm = (name: string, annotations: Json = {}, uid = `vm-${name}`): Json => ({
  metadata: { namespace: 'default', name, uid, annotations },
  spec: { template: { spec: { domain: { devices: {} } } } },
});

/** A NetworkSelectionElement for the pod network. */
export const asking = (element: Json): Json => ({
  'v1.multus-cni.io/default-network': JSON.stringify([{ name: 'default', ...element }]),
});

export const vmi = (
  name: string,
  { vmUid = `vm-${name}`, macAddress = undefined as string | undefined, annotations = {} } = {},
): Json => ({
  metadata: {
    namespace: 'default',
    name,
    annotations,
    uid: `vmi-${vmUid}`,
    ownerReferences: [{ kind: 'VirtualMachine', name, uid: vmUid, controller: true }],
  },
  spec: {
    networks: [{ name: 'default', pod: {} }],
    domain: { devices: { interfaces: [{ name: 'default', binding: { name: 'hawser' }, macAddress }] } },
  },
  status: { phase: 'Running', nodeName: 'node-a' },
});

export async function addresses(replay: Replay): Promise<Readonly<Record<string, unknown>>> {
  const ports = [...(await replay.rows())].filter(([name]) => /^Logical_Switch_Port\/(vm|pod)\//.test(name));
  return Object.fromEntries(
    ports.map(([name, { addresses }]) => [name.slice('Logical_Switch_Port/'.length), addresses]),
  );
}

export async function sentences(replay: Replay): Promise<readonly string[]> {
  await replay.core.settle();
  return [...replay.core.engine.board.problems].map(({ sentence }) => sentence);
}
