import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { run } from '#controller/replay/run.ts';

const folder = mkdtempSync(join(tmpdir(), 'hawser-replay-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const precopy = traceFile('02-precopy-success');
const port = 'Logical_Switch_Port/vm/t02-r7/vm1';

describe('a recording of a migration', () => {
  test('becomes one step an event, with the rows that it changed, and the rows at its end', async () => {
    const { json } = await replayed(precopy);
    expect(json.steps.map(({ seq }) => seq)).toEqual(Array.from({ length: 63 }, (_, index) => index + 1));
    const chassis = json.steps.flatMap(({ seq, changed }) => {
      const row = changed[port];
      return row === undefined
        ? []
        : [[seq, optionsOf(row)['requested-chassis'], optionsOf(row)['activation-strategy']]];
    });
    expect(chassis).toEqual([
      [5, undefined, undefined],
      [10, 'node-a', undefined],
      [33, 'node-a,node-b', 'rarp'],
      [49, 'node-b', undefined],
      [63, 'node-b', undefined],
    ]);
    // Made of the name of its claim: nobody recorded which it had.
    expect(json.final[port]).toMatchObject({
      name: 'vm/t02-r7/vm1',
      addresses: ['02:48:57:00:00:01 10.244.6.199 fd00:10:244::6c7'],
      port_security: ['02:48:57:00:00:01 10.244.6.199 fd00:10:244::6c7 fe80::/10'],
      options: { 'requested-chassis': 'node-b' },
    });
  });

  test('refers to rows by their names', async () => {
    const { final } = (await replayed(precopy)).json;
    const options = `DHCP_Options/${String(final[port]?.dhcpv4_options)}`;
    expect(final[options]).toMatchObject({ options: { router: '10.244.0.1', server_id: '10.244.0.1' } });
    expect(final['Logical_Switch/clusternetwork/default']?.ports).toEqual([
      'clusternetwork/default/router',
      'node/node-a',
      'node/node-b',
      'vm/t02-r7/vm1',
    ]);
  });

  test('is shown event by event to whoever reads along', async () => {
    const { out } = await replayed(precopy);
    expect(out).toContain(
      '33: 3085 ms MODIFIED Pod t02-r7/virt-launcher-vm1-kgmzq (Pending) by kube-scheduler create/binding',
    );
    expect(out).toContain(`  ~ ${port} options requested-chassis: node-a → node-a,node-b`);
    expect(out).toContain(`  ~ ${port} options activation-strategy: rarp → –`);
  });

  test('ends the same whatever a watch misses, and says so only where it was read', async () => {
    const { json } = await replayed(precopy);
    for (const seed of ['1', '2', '3']) {
      const coalesced = (await replayed(precopy, '--coalesce', seed)).json;
      expect(coalesced.final).toEqual(json.final);
      expect(coalesced.steps.length).toBeLessThan(json.steps.length);
      expect((await replayed(precopy, '--coalesce', seed)).json).toEqual(coalesced);
    }
  });

  test('is the same when the controller is restarted within it', async () => {
    const { json } = await replayed(precopy);
    for (const seq of ['5', '33', '48', '63'])
      expect((await replayed(precopy, '--restart-at', seq)).json).toEqual(json);
  });
});

describe('what is beside a recording', () => {
  test('is a network of the user’s in place of the default one', async () => {
    const objects = file('objects.yaml', [
      'apiVersion: hawser.dev/v1alpha1',
      'kind: ClusterNetwork',
      'metadata: {name: default}',
      'spec: {topology: overlay, role: primary, subnets: [192.168.0.0/24]}',
      '---',
      'apiVersion: networking.k8s.io/v1',
      'kind: NetworkPolicy',
      'metadata: {namespace: t02-r7, name: deny}',
      'spec: {podSelector: {}}',
    ]);
    const { json } = await replayed(precopy, '--objects', objects);
    expect(json.final[port]?.addresses).toEqual(['02:48:57:00:00:01 192.168.0.96']);
    const groups = Object.entries(json.final).filter(([id]) => id.startsWith('Port_Group/'));
    expect(groups.map(([, { ports }]) => ports)).toContainEqual(['vm/t02-r7/vm1']);
  });
});

describe('a recording from elsewhere', () => {
  test('may lack what ours have, repeat itself and hold bookmarks, other kinds and objects nobody can read', async () => {
    const lines = readFileSync(precopy, 'utf8').trim().split('\n');
    const bare = lines.flatMap((line) => {
      const { type, object } = JSON.parse(line);
      return [JSON.stringify({ object, type }), JSON.stringify({ object, type })];
    });
    const strange = [
      { type: 'BOOKMARK', kind: 'Pod', object: { metadata: { resourceVersion: '1' } } },
      { type: 'ERROR', kind: 'Pod', object: { kind: 'Status', code: 410 } },
      {
        type: 'ADDED',
        kind: 'Network',
        object: { apiVersion: 'config.openshift.io/v1', metadata: { name: 'cluster' } },
      },
      { type: 'ADDED', kind: 'PodDisruptionBudget', object: { metadata: { name: 'pdb', namespace: 't02-r7' } } },
      { type: 'ADDED', kind: 'Pod', object: { metadata: { name: 'odd', namespace: 't02-r7' }, spec: 7 } },
      { type: 'DELETED', kind: 'Pod', object: { metadata: { name: 'never-seen', namespace: 't02-r7' } } },
    ].map((event) => JSON.stringify(event));
    const { json, out } = await replayed(file('bare.jsonl', [...bare.slice(0, 40), ...strange, '', ...bare.slice(40)]));
    expect(json.final).toEqual((await replayed(precopy)).json.final);
    expect(out).toContain('Pod t02-r7/odd cannot be read');
    expect(out).not.toContain('Network cluster cannot be read');
  });
});

describe('a bad file is told in one line', () => {
  const cases: readonly [name: string, args: readonly string[], line: string][] = [
    ['one that is not there', [join(folder, 'nowhere')], 'ENOENT'],
    ['one that is empty', [file('empty.jsonl', [])], 'there is no event in it'],
    ['one that is not JSON', [file('text.jsonl', ['{"seq":1', '}'])], 'line 1 is not JSON'],
    ['one of other JSON', [file('other.jsonl', ['[]'])], 'line 1 is not a JSON object'],
    ['one without types', [file('types.jsonl', ['{"kind":"Pod","object":{}}'])], "line 1 has no watch event's type"],
    ['objects that are none', [precopy, '--objects', file('none.yaml', ['a: [b'])], 'neither JSON nor YAML'],
    ['an event that is not there', [precopy, '--restart-at', '64'], 'there is no event 64 in it to restart at'],
  ];
  for (const [name, args, line] of cases) {
    test(name, async () => {
      const errors: string[] = [];
      expect(await run(args, { out: () => {}, err: (text) => errors.push(text) })).toBe(1);
      expect(errors).toHaveLength(1);
      expect(errors[0]).toContain(line);
      expect(errors[0]).not.toContain('\n');
    });
  }

  test('a command line that makes no sense gets the usage', async () => {
    for (const args of [[], [precopy, 'two'], [precopy, '--coalesce', 'x'], [precopy, '--nonsense']]) {
      expect(await run(args, { out: () => {}, err: () => {} })).toBe(2);
    }
  });
});

type Row = Readonly<Record<string, unknown>>;

interface Json {
  readonly steps: readonly { readonly seq: number; readonly changed: Readonly<Record<string, Row | null>> }[];
  readonly final: Readonly<Record<string, Row>>;
}

async function replayed(path: string, ...args: string[]): Promise<{ readonly json: Json; readonly out: string }> {
  const out: string[] = [];
  const json = join(folder, 'out.json');
  const code = await run([path, '--json', json, ...args], {
    out: (line) => out.push(line),
    err: (line) => out.push(line),
  });
  expect(code, out.join('\n')).toBe(0);
  return { json: JSON.parse(readFileSync(json, 'utf8')), out: out.join('\n') };
}

function optionsOf(row: Row | null): Readonly<Record<string, string>> {
  return { ...Object(row?.options) };
}

function file(name: string, lines: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, lines.length === 0 ? '' : `${lines.join('\n')}\n`);
  return path;
}

function traceFile(name: string): string {
  return new URL(`../../fixtures/kubevirt-traces/${name}.jsonl`, import.meta.url).pathname;
}
