import { z } from 'zod';
import type { Run } from './commands.ts';

/** What the host has on one of its devices. */
export interface DeviceState {
  readonly mac: string;
  readonly mtuBytes: number;
  readonly addresses: readonly HostAddress[];
  /** Routes that `ip route` shows on the device, but for those that come with an address. */
  readonly routes: readonly HostRoute[];
}

/** In CIDR notation. Addresses that a DHCP client or router advertisements gave have a lifetime, which goes along. */
export interface HostAddress {
  readonly cidr: string;
  readonly validSeconds: number | undefined;
  readonly preferredSeconds: number | undefined;
}

export interface HostRoute {
  readonly destination: string;
  readonly gateway: string | undefined;
  readonly metric: number | undefined;
  readonly source: string | undefined;
}

export async function readDevice(run: Run, device: string): Promise<DeviceState> {
  const [links, v4, v6] = await Promise.all([
    run('ip', ['-json', 'address', 'show', 'dev', device]),
    run('ip', ['-json', '-4', 'route', 'show', 'dev', device]),
    run('ip', ['-json', '-6', 'route', 'show', 'dev', device]),
  ]);
  return parseDevice(links, [v4, v6]);
}

/**
 * Moves the host's addresses and routes from one device to another, which is up then.
 * @returns false when there was nothing to move.
 */
export async function moveAddresses(run: Run, from: string, to: string): Promise<boolean> {
  const state = await readDevice(run, from);
  await run('ip', ['link', 'set', 'dev', to, 'up']);
  if (state.addresses.length === 0) return false;
  await run('ip', ['-batch', '-'], { stdin: `${moveLines(state, from, to).join('\n')}\n` });
  return true;
}

/** Lines for `ip -batch`. Routes to a gateway come after those that say where the gateway is. */
export function moveLines({ addresses, routes }: DeviceState, from: string, to: string): readonly string[] {
  const option = (name: string, value: string | number | undefined) => (value === undefined ? '' : ` ${name} ${value}`);
  const inOrder = routes.toSorted((a, b) => Number(a.gateway !== undefined) - Number(b.gateway !== undefined));
  return [
    ...addresses.map(({ cidr }) => `address del ${cidr} dev ${from}`),
    ...addresses.map(
      ({ cidr, validSeconds, preferredSeconds }) =>
        `address replace ${cidr} dev ${to}${option('valid_lft', validSeconds)}${option('preferred_lft', preferredSeconds)}` +
        (cidr.includes(':') ? ' nodad' : ''),
    ),
    ...inOrder.map(
      ({ destination, gateway, metric, source }) =>
        `route replace ${destination}${option('via', gateway)} dev ${to}${option('metric', metric)}${option('src', source)}`,
    ),
  ];
}

/** Reads `ip -json address show` and `ip -json route show` of one device. */
export function parseDevice(links: string, routeLists: readonly string[]): DeviceState {
  const [link] = linkList.parse(JSON.parse(links));
  if (!link) throw new Error(`ip shows no device in ${links}`);
  const forever = 4_294_967_295;
  const finite = (seconds: number) => (seconds === forever ? undefined : seconds);
  return {
    mac: link.address,
    mtuBytes: link.mtu,
    addresses: link.addr_info
      .filter(({ scope }) => scope !== 'link')
      .map((info) => ({
        cidr: `${info.local}/${info.prefixlen}`,
        validSeconds: finite(info.valid_life_time),
        preferredSeconds: finite(info.preferred_life_time),
      })),
    routes: routeLists.flatMap((text) =>
      routeList
        .parse(JSON.parse(text === '' ? '[]' : text))
        .filter(({ protocol }) => protocol !== 'kernel')
        .map(({ dst, gateway, metric, prefsrc }) => ({ destination: dst, gateway, metric, source: prefsrc })),
    ),
  };
}

const linkList = z.array(
  z.object({
    address: z.string(),
    mtu: z.number(),
    addr_info: z
      .array(
        z.object({
          local: z.string(),
          prefixlen: z.number(),
          scope: z.string(),
          valid_life_time: z.number(),
          preferred_life_time: z.number(),
        }),
      )
      .default([]),
  }),
);

const routeList = z.array(
  z.object({
    dst: z.string(),
    gateway: z.string().optional(),
    metric: z.number().optional(),
    prefsrc: z.string().optional(),
    protocol: z.string().optional(),
  }),
);
