import { stat } from 'node:fs/promises';
import { CommandFailed } from '../commands.ts';
import { podHostDevice, podHostMac } from '../device-names.ts';
import type { IntegrationBridge } from '../integration-bridge.ts';
import type { PortRequest } from '../port-request.ts';
import { podNicKinds } from '../ports/index.ts';
import {
  deleteDevice,
  InterfaceNameTaken,
  makeVethPair,
  type PlumbingOptions,
  type VethPair,
} from '../ports/veth-pair.ts';
import type { RequestedPorts } from '../requested-ports.ts';
import { CniError, cniErrorCodes } from './error.ts';
import type { AddRequest } from './request.ts';
import { addResult, type CniResult } from './result.ts';

export interface AddContext {
  readonly requested: RequestedPorts;
  readonly bridge: IntegrationBridge;
  readonly plumbing: Omit<PlumbingOptions, 'signal'>;
  /** UID and GID that own taps in pods. */
  readonly tapOwner: number;
  /** How long ADD waits for the controller to request the port here. */
  readonly portTimeoutSeconds: number;
  /** How long ADD waits for ovn-controller to have the port's flows in place. */
  readonly installTimeoutSeconds: number;
  /** Told when a phase of one ADD ends. */
  readonly onPhase?: (phase: AddPhase, seconds: number) => void;
}

export type AddPhase = 'requested' | 'plumbed' | 'installed';

/**
 * ADD: waits for the port, plumbs it and waits for `ovn-installed`, so that the pod's first packet finds its flows. On failure
 * nothing of it is left behind.
 */
export async function add(request: AddRequest, context: AddContext, signal: AbortSignal): Promise<CniResult> {
  const timer = phaseTimer(context);
  const port = await requestedPort(request, context, signal);
  timer('requested');
  const nicKind = podNicKinds[port.attach];
  if (!nicKind) {
    throw new CniError(
      cniErrorCodes.portNotRequested,
      `port ${port.logicalPort} is attached as "${port.attach}", which is made by PUT /ports at the agent's socket and not by CNI`,
    );
  }
  const { containerId, interfaceName, netns, network, pod } = request;
  await stat(netns).catch((cause) => {
    throw new CniError(cniErrorCodes.unknownContainer, `network namespace ${netns} is gone`, { cause });
  });
  const pair: VethPair = {
    hostDevice: podHostDevice(containerId, interfaceName),
    hostMac: podHostMac(containerId, interfaceName),
    netns,
    interfaceName,
  };
  try {
    await context.bridge.withdraw(pair.hostDevice);
    const nic = nicKind(port, interfaceName, context);
    await makeVethPair(pair, port, nic, { ...context.plumbing, signal }, () =>
      context.bridge.plug({
        device: pair.hostDevice,
        logicalPort: port.logicalPort,
        mac: port.mac,
        attach: port.attach,
        sandbox: { podUid: pod.uid, containerId, interfaceName, network },
      }),
    );
    timer('plumbed');
    await installed(port, pair, context, signal);
    timer('installed');
  } catch (error) {
    await context.bridge.unplug((plugged) => plugged.device === pair.hostDevice);
    await deleteDevice(context.plumbing.run, pair.hostDevice);
    throw spoken(error);
  }
  return addResult(request, port, pair);
}

/** Names pod and node in the sentence, since it ends in an event of the pod. */
async function requestedPort(request: AddRequest, context: AddContext, signal: AbortSignal): Promise<PortRequest> {
  const { pod, interfaceName } = request;
  const timeout = AbortSignal.timeout(context.portTimeoutSeconds * 1000);
  try {
    return await context.requested.waitForPod(pod.uid, interfaceName, AbortSignal.any([signal, timeout]));
  } catch (cause) {
    if (!timeout.aborted) throw cause;
    const broken = [...context.requested.problems()].find(({ pods }) => pods.get(pod.uid) === interfaceName);
    if (broken) {
      throw new CniError(
        cniErrorCodes.portNotRequested,
        `port ${broken.logicalPort} is requested for this node but cannot be served: ${broken.sentence}`,
        { cause },
      );
    }
    const isFurther = interfaceName !== 'eth0';
    const port = `${pod.namespace}/${pod.name}${isFurther ? ` (${interfaceName}, network ${request.network})` : ''}`;
    const whyFurther = isFurther ? ' Does its NetworkAttachmentDefinition name a network? Its Events say.' : '';
    throw new CniError(
      cniErrorCodes.portNotRequested,
      `port ${port} not yet requested for this node: is it scheduled here, and is the controller running?${whyFurther}`,
      {
        cause,
        details: `waited ${context.portTimeoutSeconds} s for a port that pod ${pod.uid} may plug as ${interfaceName}`,
      },
    );
  }
}

async function installed(port: PortRequest, pair: VethPair, context: AddContext, signal: AbortSignal): Promise<void> {
  const timeout = AbortSignal.timeout(context.installTimeoutSeconds * 1000);
  try {
    await context.bridge.installed(pair.hostDevice, AbortSignal.any([signal, timeout]));
  } catch (cause) {
    if (!timeout.aborted) throw cause;
    throw new CniError(
      cniErrorCodes.portNotInstalled,
      `port ${port.logicalPort} is plugged but not yet bound by ovn-controller: is ovn-controller running on this node and ` +
        'connected to the southbound database?',
      { cause, details: `waited ${context.installTimeoutSeconds} s for ovn-installed on interface ${pair.hostDevice}` },
    );
  }
}

function spoken(error: unknown): unknown {
  if (error instanceof InterfaceNameTaken) {
    return new CniError(cniErrorCodes.invalidEnvironment, `CNI_IFNAME cannot be used: ${error.message}`, {
      cause: error,
    });
  }
  if (error instanceof CommandFailed) {
    return new CniError(cniErrorCodes.plumbingFailed, error.message, { cause: error });
  }
  return error;
}

function phaseTimer({ onPhase }: AddContext): (phase: AddPhase) => void {
  let last = performance.now();
  return (phase) => {
    const now = performance.now();
    onPhase?.(phase, (now - last) / 1000);
    last = now;
  };
}
