import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { readConfig } from '#controller/config.ts';
import { parseConfig } from '#node-agent/config.ts';

const deploy = join(import.meta.dirname, '../../deploy');

for (const [where, controller, agent] of [
  ['base', configIn('controller.yaml', 'controller.json'), configIn('node-agent.yaml', 'agent.json')],
  ['overlays/example', patchIn('/data/controller.json'), patchIn('/data/agent.json')],
] as const) {
  test(`the controller accepts its configuration of deploy/${where}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'hawser-deploy-'));
    try {
      writeFileSync(join(folder, 'controller.json'), controller);
      // There are two replicas, of which one leads.
      expect(readConfig(join(folder, 'controller.json'))).toMatchObject({
        northbound: expect.arrayContaining([expect.any(String)]),
        leaderElection: { namespace: 'hawser-system', name: 'hawser-controller' },
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test(`the node agent accepts its configuration of deploy/${where}`, () => {
    const text = agent.replace('NODE_NAME', 'node-a').replace('NODE_IP', '192.0.2.21');
    expect(parseConfig(text, 'agent.json')).toMatchObject({
      nodeName: 'node-a',
      encap: { ip: '192.0.2.21' },
      cni: {
        plugin: 'dist/hawser',
        confFile: '/etc/cni/net.d/10-hawser.conflist',
        binFolder: '/opt/cni/bin',
      },
    });
  });
}

function configIn(file: string, key: string): string {
  const documents = parseAllDocuments(readFileSync(join(deploy, 'base', file), 'utf8')).map((document) =>
    document.toJS(),
  );
  return documents.find(({ kind }) => kind === 'ConfigMap').data[key];
}

function patchIn(path: string): string {
  const { patches } = parse(readFileSync(join(deploy, 'overlays/example/kustomization.yaml'), 'utf8'));
  const operations = patches.flatMap(({ patch }: { patch: string }) => parse(patch));
  return operations.find((operation: { path: string }) => operation.path === path).value;
}
