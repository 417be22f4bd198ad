import type { Core } from '#controller/core.ts';
import { macOf, parseAddress } from '#controller/ipam/address.ts';
import type { Actual, ActualRow } from '#controller/northbound/plan.ts';
import { rowUuid } from '#controller/northbound/row-uuid.ts';

type Json = Readonly<Record<string, unknown>>;

/** An object as the API server has it. */
export interface KeptObject {
  readonly kind: string;
  readonly object: Json;
}

/**
 * What has to be true of the northbound database at every moment. It is worked out from the objects themselves and not from anything a
 * feature says, but for claims, which are objects too.
 */
export class Invariants {
  /** VM UID and IPAMClaim → the address of each family of that NIC, from when it first had it. */
  readonly #addressesOfNics = new Map<string, Map<number | undefined, string>>();
  /** Port and UID → the MAC it had when it was last looked at. */
  #macs: ReadonlyMap<string, string> = new Map();

  /** Whoever has no claim any more is gone. */
  forget({ tables }: Core): void {
    const alive = new Set([...tables.claims.rows().values()].map(({ owner, name }) => `${owner?.uid} ${name}`));
    for (const nic of this.#addressesOfNics.keys()) if (!alive.has(nic)) this.#addressesOfNics.delete(nic);
  }

  /** `objects` by kind and key. */
  check(objects: ReadonlyMap<string, KeptObject>, northbound: Actual, core: Core): void {
    this.#checkAddresses(objects, northbound, core);
    checkMigrations(objects, northbound);
    checkPolicies(objects, northbound);
  }

  /** No address is of two; a VM's are the same from its creation to its deletion, and while it is stopped nobody else's. */
  #checkAddresses(objects: ReadonlyMap<string, KeptObject>, northbound: Actual, { tables }: Core): void {
    const claims = [...tables.claims.rows()];
    const owners = new Map<string, string>();
    const macs = new Map<string, string>();
    for (const row of northbound.rows('Logical_Switch_Port').values()) {
      const isOutside = entryOf(row, 'external_ids', 'hawser:attach') === 'outside';
      const [bound] = Array.isArray(row.addresses) ? row.addresses : [];
      const own = isOutside ? entryOf(row, 'external_ids', 'hawser:addresses') : bound;
      const uid = entryOf(row, 'external_ids', 'hawser:uid');
      const name = String(row.name);
      if (uid === undefined || typeof own !== 'string' || !/^(vm|pod|node)\//.test(name)) continue;
      const [mac = '', ...ips] = own.split(' ');
      for (const address of [mac, ...ips]) {
        const other = owners.get(address);
        if (other !== undefined) throw new Error(`${address} is of ${other} and of ${name}`);
        owners.set(address, name);
      }
      const made = macOf(parseAddress(ips[0] ?? '') ?? { family: 4, value: 0n });
      const before = this.#macs.get(`${name} ${uid}`);
      if (mac !== made && mac !== before && !asksForMac(objects, name, mac)) {
        throw new Error(`${name} has ${mac} without asking for it`);
      }
      // A pod is attached once, whatever is asked for later.
      const wasMade = /^0a:5[89]/.test(before ?? '');
      if (before !== undefined && mac !== before && name.startsWith('pod/') && !wasMade) {
        throw new Error(`${name} had ${before} and now has ${mac}`);
      }
      macs.set(`${name} ${uid}`, mac);
      if (!name.startsWith('vm/')) continue;
      const [, , vm, network = 'default'] = name.split('/');
      const nic = `${uid} ${vm}.${network}`;
      const known = this.#addressesOfNics.get(nic) ?? new Map<number | undefined, string>();
      for (const ip of ips) {
        const family = parseAddress(ip)?.family;
        const before = known.get(family) ?? ip;
        if (before !== ip) throw new Error(`${name} had ${before} and now has ${ip}`);
        known.set(family, ip);
      }
      this.#addressesOfNics.set(nic, known);
    }
    this.#macs = macs;
    for (const [key, { namespace, name, ips }] of claims) {
      if (tables.claimConflicts.get(key) !== undefined) continue;
      const [vm, network] = name.split('.');
      const port = `vm/${namespace}/${vm}${network === 'default' ? '' : `/${network}`}`;
      for (const ip of ips) {
        const holder = owners.get(ip.split('/')[0] ?? '');
        if (holder !== undefined && holder !== port) {
          throw new Error(`${ip} of IPAMClaim ${name} is of ${holder}`);
        }
      }
    }
  }
}

/** While a migration runs and its target pod lives, both nodes have the ports of all NICs. */
function checkMigrations(objects: ReadonlyMap<string, KeptObject>, northbound: Actual): void {
  for (const { kind, object } of objects.values()) {
    if (kind !== 'VirtualMachineInstanceMigration') continue;
    const { spec, status }: { readonly spec?: { vmiName?: string }; readonly status?: { phase?: string } } =
      Object(object);
    const name = spec?.vmiName ?? '';
    const source = nodeOf(objects, 'VirtualMachineInstance', name, 'status');
    const target = nodeOf(objects, 'Pod', `virt-launcher-${name}-1`, 'spec');
    if (source === undefined || target === undefined || source === target) continue;
    const isUnderWay = status?.phase === 'Running' || status?.phase === 'Scheduling';
    const wanted = isUnderWay ? `${source},${target}` : source;
    for (const row of northbound.rows('Logical_Switch_Port').values()) {
      const port = String(row.name);
      if (port !== `vm/default/${name}` && !port.startsWith(`vm/default/${name}/`)) continue;
      const chassis = entryOf(row, 'options', 'requested-chassis');
      if (chassis !== wanted) throw new Error(`requested-chassis of ${port}: ${chassis} instead of ${wanted}`);
    }
  }
}

/** Whoever a policy selects is in a port group that drops what is not allowed, from when it has a port. */
function checkPolicies(objects: ReadonlyMap<string, KeptObject>, northbound: Actual): void {
  const closed = new Set<unknown>();
  for (const group of northbound.rows('Port_Group').values()) {
    const acls = Array.isArray(group.acls) ? group.acls : [];
    const drops = acls.some((uuid) => northbound.row('ACL', String(uuid))?.action === 'drop');
    if (drops && Array.isArray(group.ports)) for (const port of group.ports) closed.add(port);
  }
  for (const policy of objects.values()) {
    if (policy.kind !== 'NetworkPolicy') continue;
    const { podSelector }: { readonly podSelector: Json } = Object(policy.object.spec);
    for (const guest of objects.values()) {
      const port = portOf(guest);
      if (port === undefined || !isSelected(podSelector, guest)) continue;
      const uuid = rowUuid('Logical_Switch_Port', port);
      const isOpen = northbound.row('Logical_Switch_Port', uuid) !== undefined && !closed.has(uuid);
      if (isOpen) throw new Error(`${port} is open, although a policy selects it`);
    }
  }
}

/** Only of selectors on one label, with the operators In and NotIn. */
function isSelected(selector: Json, { object }: KeptObject): boolean {
  const { labels }: { readonly labels?: Readonly<Record<string, string>> } = Object(object.metadata);
  const { app = '' } = labels ?? {};
  const { matchLabels, matchExpressions = [] }: Selector = Object(selector);
  if (matchLabels !== undefined && matchLabels.app !== app) return false;
  return matchExpressions.every(({ operator, values }) => values.includes(app) === (operator === 'In'));
}

interface Selector {
  readonly matchLabels?: { readonly app: string };
  readonly matchExpressions?: readonly { readonly operator: string; readonly values: readonly string[] }[];
}

function portOf({ kind, object }: KeptObject): string | undefined {
  const { name, labels }: { readonly name: string; readonly labels?: Json } = Object(object.metadata);
  if (kind === 'VirtualMachineInstance') return `vm/default/${name}`;
  return kind === 'Pod' && labels?.app !== undefined ? `pod/default/${name}` : undefined;
}

function asksForMac(objects: ReadonlyMap<string, KeptObject>, port: string, mac: string): boolean {
  const [kind, namespace, name] = port.split('/');
  const asking = objects.get(`${kind === 'vm' ? 'VirtualMachineInstance' : 'Pod'} ${namespace}/${name}`);
  return JSON.stringify(asking?.object).includes(mac);
}

function nodeOf(
  objects: ReadonlyMap<string, KeptObject>,
  kind: string,
  name: string,
  part: 'spec' | 'status',
): string | undefined {
  const { nodeName }: { readonly nodeName?: string } = Object(objects.get(`${kind} default/${name}`)?.object[part]);
  return nodeName;
}

function entryOf(row: ActualRow, column: string, key: string): string | undefined {
  const value = row[column];
  const found = typeof value === 'object' && 'get' in value ? value.get(key) : undefined;
  return typeof found === 'string' ? found : undefined;
}
