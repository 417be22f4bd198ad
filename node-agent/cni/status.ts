import { CniError, cniErrorCodes } from './error.ts';

/** What the agent knows of the parts it depends on. */
export interface NodeHealth {
  /** Connected to this node's Open_vSwitch database, with its contents read. */
  readonly switchInSync: boolean;
  /** Connected to the southbound database, with this chassis' ports read. */
  readonly southboundInSync: boolean;
  /** Whether ovn-controller has registered this chassis. */
  readonly chassisKnown: boolean;
  /** Whether this node is itself on the pod network, so that kubelet reaches what ADD makes; true where it is not to be. */
  readonly managementPortMade: boolean;
}

/**
 * STATUS: whether ADD can be served.
 * @returns the reason why not, or undefined.
 */
export function statusProblem({
  switchInSync,
  southboundInSync,
  chassisKnown,
  managementPortMade,
}: NodeHealth): CniError | undefined {
  if (!switchInSync) {
    return new CniError(
      cniErrorCodes.notAvailableLimitedConnectivity,
      "the node agent has no connection to this node's Open vSwitch database: are ovsdb-server and ovs-vswitchd running?",
    );
  }
  if (!southboundInSync) {
    return new CniError(
      cniErrorCodes.notAvailable,
      'the node agent has no connection to the OVN southbound database: are its addresses right and is it running?',
    );
  }
  if (!chassisKnown) {
    return new CniError(
      cniErrorCodes.notAvailable,
      'this node is not registered as a chassis in the OVN southbound database: is ovn-controller running here?',
    );
  }
  if (!managementPortMade) {
    return new CniError(
      cniErrorCodes.notAvailable,
      "this node's management port is not there: is the controller running, and is there a ClusterNetwork named default?",
    );
  }
  return undefined;
}
