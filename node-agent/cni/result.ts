import type { PortRequest } from '../port-request.ts';
import { defaultGateways } from '../ports/veth.ts';
import type { VethPair } from '../ports/veth-pair.ts';
import type { AddRequest } from './request.ts';
import { has } from './version.ts';

/** What ADD prints: the specification's "Success" object in the version asked for. */
export interface CniResult {
  readonly cniVersion: string;
  readonly interfaces: readonly CniInterface[];
  readonly ips: readonly CniIp[];
  readonly routes: readonly CniRoute[];
  readonly dns: Readonly<Record<string, unknown>>;
}

/**
 * The result of ADD. Addresses and routes are those of the port in every kind, also where the NIC itself carries none
 * (`managedTap`): they are what `pod.status.podIPs` is to say. After other plugins of a chain ours is added to theirs.
 */
export function addResult(add: AddRequest, port: PortRequest, pair: VethPair): CniResult {
  const { cniVersion, prevResult } = add;
  const mtu = has(cniVersion, '1.1.0') ? { mtu: port.mtuBytes } : {};
  const before = prevResult?.interfaces ?? [];
  const gateways = defaultGateways(port);
  return {
    cniVersion,
    interfaces: [
      ...before,
      { name: pair.hostDevice, mac: pair.hostMac, ...mtu },
      { name: pair.interfaceName, mac: port.mac, ...mtu, sandbox: pair.netns },
    ],
    ips: [
      ...(prevResult?.ips ?? []),
      ...port.addresses.map(({ address, prefixLength, gateway, family }) => ({
        ...(!has(cniVersion, '1.0.0') && { version: String(family) }),
        address: `${address}/${prefixLength}`,
        ...(gateway && { gateway }),
        interface: before.length + 1,
      })),
    ],
    routes: [
      ...(prevResult?.routes ?? []),
      ...gateways.map((gw) => ({ dst: gw.includes(':') ? '::/0' : '0.0.0.0/0', gw })),
      ...port.routes.map(({ destination, nextHop }) => ({ dst: destination, gw: nextHop })),
    ],
    dns: add.dns ?? {},
  };
}

interface CniInterface {
  readonly name: string;
  readonly mac?: string | undefined;
  readonly mtu?: number;
  readonly sandbox?: string | undefined;
}

interface CniIp {
  readonly version?: string;
  readonly address: string;
  readonly gateway?: string;
  /** Index into `interfaces`. */
  readonly interface?: number | undefined;
}

interface CniRoute {
  readonly dst: string;
  readonly gw?: string;
}
