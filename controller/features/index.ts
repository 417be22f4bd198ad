import type { Engine } from '../engine/engine.ts';
import { attachments } from './attachments.ts';
import { conflictingClaims, healedClaims } from './claim-conditions.ts';
import { dhcp, routerAdvertisements, untoldSettings } from './dhcp.ts';
import { guestServers } from './guest-servers.ts';
import { ipam } from './ipam.ts';
import { liveMigration } from './live-migration.ts';
import { clusterNetworks, type NetworkDefaults, namespaceNetworks, networks } from './networks.ts';
import { nodePorts } from './node-ports.ts';
import { outlivedClaims } from './outlived-claims.ts';
import { ownNode, segmentsOfNodes } from './own-node.ts';
import { pods } from './pods.ts';
import { namespaceScopes, podMembership, policies, portGroups, vmMembership } from './policies.ts';
import { ports } from './ports.ts';
import { releasedClaims } from './released-claims.ts';
import { segments } from './segments.ts';
import type { Tables } from './tables.ts';
import { runningVmStatus, stoppedVmStatus } from './vm-network-status.ts';
import { type BindingPlugins, vms } from './vms.ts';

export interface FeatureOptions {
  readonly networkDefaults: NetworkDefaults;
  readonly bindingPlugins: BindingPlugins;
}

/** The menu: every feature there is, producers of derived rows before their readers. */
export function addFeatures(engine: Engine, tables: Tables, options: FeatureOptions): void {
  engine.add(clusterNetworks(tables, options.networkDefaults));
  engine.add(networks(tables, options.networkDefaults));
  engine.add(namespaceNetworks(tables));
  engine.add(attachments(tables));
  engine.add(pods(tables));
  engine.add(nodePorts(tables));
  engine.add(vms(tables, options.bindingPlugins));
  engine.add(ipam(tables));
  engine.add(ports(tables));
  engine.add(dhcp(tables));
  engine.add(segments(tables));
  engine.add(routerAdvertisements(tables));
  engine.add(untoldSettings(tables));
  engine.add(guestServers(tables));
  engine.add(liveMigration(tables));
  engine.add(policies(tables));
  engine.add(ownNode(tables));
  engine.add(segmentsOfNodes(tables));
  engine.add(namespaceScopes(tables));
  engine.add(portGroups(tables));
  engine.add(podMembership(tables));
  engine.add(vmMembership(tables));
  engine.add(outlivedClaims(tables));
  engine.add(releasedClaims(tables));
  engine.add(stoppedVmStatus(tables));
  engine.add(runningVmStatus(tables));
  engine.add(conflictingClaims(tables));
  engine.add(healedClaims(tables));
}
