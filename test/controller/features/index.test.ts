import { globSync, readFileSync } from 'node:fs';
import { afterEach, expect, test, vi } from 'vitest';
import { Engine } from '#controller/engine/engine.ts';
import * as policies from '#controller/features/policies.ts';
import { Tables } from '#controller/features/tables.ts';
import { freshReplay } from '../recordings.ts';

type Json = Readonly<Record<string, unknown>>;

afterEach(() => vi.restoreAllMocks());

const labels = { app: 'web' };
const cluster: readonly (readonly [kind: string, object: Json])[] = [
  ['Namespace', { metadata: { name: 'default', uid: 'ns', labels: { team: 'x' } } }],
  [
    'Node',
    {
      metadata: { name: 'node-a', uid: 'node-a' },
      status: { addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] },
    },
  ],
  ['Pod', { metadata: { namespace: 'default', name: 'web', uid: 'web', labels }, spec: { nodeName: 'node-a' } }],
  [
    'VirtualMachineInstance',
    {
      metadata: { namespace: 'default', name: 'db', uid: 'vmi-db', labels },
      spec: {
        networks: [{ name: 'default', pod: {} }],
        domain: { devices: { interfaces: [{ name: 'default', binding: { name: 'hawser' } }] } },
      },
      status: { phase: 'Running', nodeName: 'node-a' },
    },
  ],
  [
    'NetworkPolicy',
    {
      metadata: { namespace: 'default', name: 'p', uid: 'p' },
      spec: { podSelector: { matchLabels: labels }, ingress: [{ from: [{ namespaceSelector: {} }] }] },
    },
  ],
];

async function rowsOfCluster() {
  const replay = freshReplay();
  for (const [kind, object] of cluster) replay.apply({ type: 'ADDED', kind, object });
  return replay.rows();
}

test('without the file of the policies exactly their rows are missing, and nothing else changes', async () => {
  const whole = await rowsOfCluster();
  const tables = new Tables();
  const names = new Set(Object.values(policies).map((feature) => feature(tables).name));
  const add = Engine.prototype.add;
  vi.spyOn(Engine.prototype, 'add').mockImplementation(function (this: Engine, feature) {
    if (!names.has(feature.name)) add.call(this, feature);
  });
  const rest = await rowsOfCluster();
  const isOfPolicies = (row: string) => /^(Port_Group|ACL)\/(selector|networkpolicy)\//.test(row);
  expect([...whole.keys()].filter((row) => !rest.has(row))).toEqual([...whole.keys()].filter(isOfPolicies));
  expect([...whole.keys()].filter(isOfPolicies).map((row) => row.split('/')[0])).toEqual([
    ...['ACL', 'ACL', 'ACL', 'Port_Group', 'Port_Group'],
  ]);
  expect(rest).toEqual(new Map([...whole].filter(([row]) => !isOfPolicies(row))));
});

test('a feature is known to nobody but the menu', () => {
  const menu = readFileSync('controller/features/index.ts', 'utf8');
  const imports = (text: string) =>
    [...text.matchAll(/import \{([^}]*)\} from '[^']*\/([^/']+\.ts)'/g)].flatMap(([, names = '', file = '']) =>
      names.split(',').map((name) => `${name.trim()} of ${file}`),
    );
  const features = new Set(imports(menu).filter((name) => menu.includes(`engine.add(${name.split(' ')[0]}(`)));
  expect(features.size).toBeGreaterThan(20);
  const others = globSync('controller/**/*.ts').filter((file) => !file.endsWith('features/index.ts'));
  const known = others.flatMap((file) =>
    imports(readFileSync(file, 'utf8')).flatMap((name) => (features.has(name) ? [`${file} imports ${name}`] : [])),
  );
  expect(known).toEqual([]);
});
