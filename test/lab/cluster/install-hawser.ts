import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { stringify } from 'yaml';
import type { ControlPlane } from '#test/kube/control-plane.ts';
import type { Topology } from '#test/lab/topology/topology.ts';
import { hawserImage } from './images.ts';

const deploy = join(import.meta.dirname, '../../../deploy');

/** Applies `deploy/` with an overlay that says what every cluster has to say: where OVN is, and the image. */
export async function installHawser(topology: Topology, plane: ControlPlane): Promise<void> {
  const folder = join(topology.folder, 'overlay');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'kustomization.yaml'), stringify(overlay(folder, topology, plane)));
  const manifests = await plane.kubectl(['kustomize', '--load-restrictor=LoadRestrictionsNone', folder]);
  await plane.kubectl(['apply', '--server-side', '-f', '-'], manifests);
}

function overlay(folder: string, { central }: Topology, { innerUrl }: ControlPlane): object {
  const [name, tag] = hawserImage.split(':');
  const { hostname, port } = new URL(innerUrl);
  const controller = {
    northbound: [central.nbTcp],
    southbound: [central.sbTcp],
    leaderElection: { namespace: 'hawser-system' },
  };
  const agent = {
    nodeName: 'NODE_NAME',
    southbound: [central.sbTcp],
    encap: { ip: 'NODE_IP' },
    // For a pod's `hostPort`.
    cni: { chained: [{ type: 'portmap', capabilities: { portMappings: true } }] },
    // The lab's nodes have no openvswitch kernel module.
    datapathType: 'netdev',
  };
  const replace = (path: string, value: object) => stringify([{ op: 'replace', path, value: JSON.stringify(value) }]);
  // Nobody answers at the Service `kubernetes` before there is a network, and here nobody does at all.
  const apiServer = [
    { name: 'KUBERNETES_SERVICE_HOST', value: hostname },
    { name: 'KUBERNETES_SERVICE_PORT', value: port },
  ];
  return {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [relative(folder, join(deploy, 'base'))],
    images: [{ name: 'hawser', newName: name, newTag: tag }],
    patches: [
      { target: { kind: 'ConfigMap', name: 'hawser-controller' }, patch: replace('/data/controller.json', controller) },
      { target: { kind: 'ConfigMap', name: 'hawser-node-agent' }, patch: replace('/data/agent.json', agent) },
      {
        target: { kind: 'Deployment', name: 'hawser-controller' },
        patch: stringify([{ op: 'add', path: '/spec/template/spec/containers/0/env', value: apiServer }]),
      },
    ],
  };
}
