import { describe, expect, test, vi } from 'vitest';
import { Bucket } from '#controller/engine/table-index.ts';
import type { Replay } from '#controller/replay/replay.ts';
import { freshReplay } from '../recordings.ts';

type Json = Readonly<Record<string, unknown>>;

const pod = (namespace: string, name: string, labels: Json): Json => ({
  metadata: { namespace, name, uid: `uid-${namespace}-${name}`, labels },
  spec: { nodeName: 'node-a' },
});
const namespace = (name: string, labels: Json = {}): Json => ({ metadata: { name, uid: `ns-${name}`, labels } });
const policy = (name: string, spec: Json): Json => ({
  metadata: { namespace: 'shop', name, uid: `policy-${name}` },
  spec,
});

function put(replay: Replay, kind: string, ...objects: Json[]): void {
  for (const object of objects) replay.apply({ type: 'MODIFIED', kind, object });
}

/** Port group name → ports in it; and the ACLs as `direction priority match action`, names replaced by keys. */
async function policyRows(replay: Replay) {
  await replay.core.settle();
  const { board } = replay.core.engine;
  const names = new Map<string, string>();
  const groups: Record<string, readonly string[]> = {};
  const portOf = new Map<string, string>();
  const { rowUuid } = await import('#controller/northbound/row-uuid.ts');
  for (const { key } of board.rows('Logical_Switch_Port')) portOf.set(rowUuid('Logical_Switch_Port', key), key);
  for (const row of board.rows('Port_Group')) {
    const key = row.key.slice('selector/'.length);
    names.set(String(row.column('name')), key);
    const ports = row.column('ports');
    groups[key] = Array.isArray(ports) ? ports.map((uuid) => portOf.get(uuid) ?? uuid).sort() : [];
  }
  const acls = [...board.rows('ACL')].map((row) => {
    const { direction, priority, match, action } = row.all();
    return `${direction} ${priority} ${String(match).replaceAll(/hawser_[0-9a-f]{16}/g, (name) => `<${names.get(name)}>`)} ${action}`;
  });
  return { groups, acls: acls.sort() };
}

const web = '<namespace/shop/app=web>';
const infrastructure = `to-lport 1002 outport == @${web} && (nd || nd_ra || mldv1 || mldv2) allow`;
const drop = `to-lport 1000 outport == @${web} && ip drop`;

describe('a policy', () => {
  test('drops what no rule allows, for the pods and VMs it selects', async () => {
    const replay = freshReplay();
    put(replay, 'Pod', pod('shop', 'web', { app: 'web' }), pod('shop', 'db', { app: 'db' }));
    put(replay, 'Pod', pod('other', 'web', { app: 'web' }));
    put(replay, 'NetworkPolicy', policy('deny', { podSelector: { matchLabels: { app: 'web' } } }));
    expect(await policyRows(replay)).toEqual({
      groups: { 'namespace/shop/app=web': ['pod/shop/web'] },
      acls: [drop, infrastructure],
    });
  });

  test('allows peers of its own namespace and of selected ones, on ports', async () => {
    const replay = freshReplay();
    put(replay, 'Namespace', namespace('shop'), namespace('ops', { team: 'ops' }));
    put(replay, 'Pod', pod('shop', 'web', { app: 'web' }), pod('ops', 'probe', { role: 'probe' }), pod('ops', 'x', {}));
    const ingress = [
      {
        from: [
          { podSelector: { matchLabels: { app: 'front' } } },
          {
            namespaceSelector: { matchLabels: { team: 'ops' } },
            podSelector: { matchExpressions: [{ key: 'role', operator: 'Exists' }] },
          },
        ],
        ports: [{ port: 80 }, { port: 8000, endPort: 8010, protocol: 'UDP' }],
      },
    ];
    put(replay, 'NetworkPolicy', policy('web', { podSelector: { matchLabels: { app: 'web' } }, ingress }));
    const front = 'namespace/shop/app=front';
    const ops = 'namespaces/team=ops/role Exists ';
    const sources = [front, ops].map((key) => `(ip4.src == $<${key}>_ip4 || ip6.src == $<${key}>_ip6)`).join(' || ');
    expect(await policyRows(replay)).toEqual({
      groups: { 'namespace/shop/app=web': ['pod/shop/web'], [front]: [], [ops]: ['pod/ops/probe'] },
      acls: [
        drop,
        `to-lport 1001 outport == @${web} && (${sources}) && (tcp.dst == 80 || (udp.dst >= 8000 && udp.dst <= 8010)) allow-related`,
        infrastructure,
      ],
    });
  });

  test('of egress lets the guest ask for its addresses', async () => {
    const replay = freshReplay();
    put(replay, 'NetworkPolicy', policy('quiet', { podSelector: {}, policyTypes: ['Egress'] }));
    const { acls } = await policyRows(replay);
    expect(acls).toEqual([
      'from-lport 1000 inport == @<namespace/shop/> && ip drop',
      expect.stringContaining('(udp.src == 68 && udp.dst == 67)'),
    ]);
  });

  test('with a peer or port that is not understood says so and allows nothing by it', async () => {
    const replay = freshReplay();
    const ingress = [{ ports: [{ port: 'http' }] }, { from: [{ ipBlock: { cidr: '10.0.0.0/40' } }] }];
    put(replay, 'NetworkPolicy', policy('web', { podSelector: { matchLabels: { app: 'web' } }, ingress }));
    const { acls } = await policyRows(replay);
    expect(acls).toEqual([drop, infrastructure]);
    expect([...replay.core.engine.board.problems].map(({ sentence }) => sentence)).toEqual([
      'spec.ingress[0].ports[0]: the named port "http" is not understood yet; write its number',
      'spec.ingress[1]: ipBlock.cidr "10.0.0.0/40" is not a CIDR such as 10.0.0.0/8',
    ]);
  });

  test('leaves nothing behind', async () => {
    const replay = freshReplay();
    put(replay, 'Pod', pod('shop', 'web', { app: 'web' }));
    const object = policy('deny', {
      podSelector: { matchLabels: { app: 'web' } },
      ingress: [{ from: [{ namespaceSelector: {} }] }],
    });
    put(replay, 'NetworkPolicy', object);
    await policyRows(replay);
    replay.apply({ type: 'DELETED', kind: 'NetworkPolicy', object });
    expect(await policyRows(replay)).toEqual({ groups: {}, acls: [] });
  });
});

test('equal selectors are one port group, however they are written', async () => {
  const replay = freshReplay();
  const labels = { a: '1', b: '2' };
  const written = [{ key: 'b', operator: 'In', values: ['2'] }];
  put(replay, 'NetworkPolicy', policy('one', { podSelector: { matchLabels: labels } }));
  put(replay, 'NetworkPolicy', policy('two', { podSelector: { matchLabels: { a: '1' }, matchExpressions: written } }));
  put(replay, 'Pod', pod('shop', 'web', labels));
  const { groups, acls } = await policyRows(replay);
  expect(groups).toEqual({ 'namespace/shop/a=1;b=2': ['pod/shop/web'] });
  expect(acls).toHaveLength(2);
});

test("a VM is selected by its VMI's labels and by those of its launcher pods", async () => {
  const replay = freshReplay();
  const vmi = {
    metadata: { namespace: 'shop', name: 'db', uid: 'vmi-db', labels: { app: 'db' } },
    spec: {
      networks: [{ name: 'default', pod: {} }],
      domain: { devices: { interfaces: [{ name: 'default', binding: { name: 'hawser' } }] } },
    },
    status: { nodeName: 'node-a' },
  };
  put(replay, 'VirtualMachineInstance', vmi);
  put(replay, 'NetworkPolicy', policy('one', { podSelector: { matchLabels: { app: 'db' } } }));
  put(replay, 'NetworkPolicy', policy('two', { podSelector: { matchLabels: { 'vm.kubevirt.io/name': 'db' } } }));
  const { groups } = await policyRows(replay);
  expect(Object.values(groups)).toEqual([['vm/shop/db'], ['vm/shop/db']]);
});

test('a change of one policy or pod runs nothing for those it does not concern', async () => {
  const replay = freshReplay();
  put(replay, 'Namespace', namespace('shop'));
  for (let i = 0; i < 200; i += 1) put(replay, 'Pod', pod('shop', `p${i}`, { app: `app${i % 50}`, pod: `p${i}` }));
  for (let i = 0; i < 100; i += 1) {
    put(replay, 'NetworkPolicy', policy(`n${i}`, { podSelector: { matchLabels: { app: `app${i}` } } }));
  }
  await replay.core.settle();
  const runs = () =>
    Object.fromEntries(replay.core.engine.statistics().map(({ feature, runs: count }) => [feature, count]));
  const before = runs();
  put(replay, 'NetworkPolicy', policy('fresh', { podSelector: { matchLabels: { pod: 'p7' } } }));
  await replay.core.settle();
  expect((runs()['pod-membership'] ?? 0) - (before['pod-membership'] ?? 0)).toBe(1);
  const middle = runs();
  put(replay, 'Pod', pod('shop', 'p8', { app: 'app3', pod: 'p8' }));
  await replay.core.settle();
  const after = runs();
  expect((after['pod-membership'] ?? 0) - (middle['pod-membership'] ?? 0)).toBe(1);
  expect((after.policies ?? 0) - (middle.policies ?? 0)).toBe(0);
});

test('to find what selects a pod takes the same work however many policies and namespaces do not', async () => {
  /** Rows of indexes that are looked at while a pod comes to a cluster with so many policies and namespaces it does not concern. */
  async function rowsLookedAt(others: number): Promise<number> {
    const replay = freshReplay();
    put(replay, 'Namespace', namespace('shop', { team: 'shop' }));
    put(replay, 'NetworkPolicy', policy('own', { podSelector: { matchLabels: { app: 'web' } } }));
    for (let i = 0; i < others; i += 1) {
      const from = [{ namespaceSelector: { matchLabels: { team: `t${i}` } } }];
      const podSelector = { matchExpressions: [{ key: 'app', operator: 'In', values: [`app${i}`, `other${i}`] }] };
      put(replay, 'NetworkPolicy', policy(`n${i}`, { podSelector, ingress: [{ from }] }));
      put(replay, 'Namespace', namespace(`ns${i}`, { team: `t${i}` }));
    }
    await replay.core.settle();
    let rows = 0;
    const view = Bucket.prototype.view;
    const spy = vi.spyOn(Bucket.prototype, 'view').mockImplementation(function (this: Bucket<unknown>) {
      const found = view.call(this);
      rows += found.size;
      return found;
    });
    put(replay, 'Pod', pod('shop', 'web', { app: 'web', tier: 'front' }));
    await replay.core.settle();
    spy.mockRestore();
    expect((await policyRows(replay)).groups['namespace/shop/app=web']).toEqual(['pod/shop/web']);
    return rows;
  }
  const few = await rowsLookedAt(1);
  expect(few).toBeGreaterThan(0);
  expect(await rowsLookedAt(1000)).toBe(few);
});
