import { createHash } from 'node:crypto';
import type { RecordedEvent } from '#controller/replay/recording.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * Writes the events of one VM as KubeVirt 1.9 makes them where there is no recording: the fields of each step, and the order of the
 * steps, are those of KubeVirt's source (pkg/virt-controller/watch/{vm,vmi,migration}, cmd/virt-handler; T numbers as in the
 * migration's sequence of writes: T6 hand-off, T13 domain ready, T15 acknowledged).
 */
export class KubeVirtScript {
  readonly events: RecordedEvent[] = [];
  readonly namespace: string;
  readonly name: string;
  readonly #stream: Stream;
  readonly #objects = new Map<string, Json>();
  #incarnation = 0;
  #pods = 0;

  constructor(name = 'db', namespace = 'shop', stream: Stream = { events: [], version: 100 }) {
    this.name = name;
    this.namespace = namespace;
    this.#stream = stream;
    this.events = stream.events;
  }

  get vmUid(): string {
    return `vm-${this.namespace}-${this.name}`;
  }

  get vmiUid(): string {
    return `vmi-${this.namespace}-${this.name}-${this.#incarnation}`;
  }

  createVm({
    mac = '02:48:57:00:00:01',
    runStrategy = 'Always',
    interfaces = [] as readonly Json[],
    annotations = {} as Json,
  } = {}): void {
    const nic = { name: 'default', binding: { name: 'hawser' }, ...(mac !== '' && { macAddress: mac }) };
    this.put('VirtualMachine', this.name, {
      metadata: { uid: this.vmUid, annotations },
      spec: {
        runStrategy,
        template: {
          metadata: {},
          spec: {
            domain: { devices: { interfaces: [nic, ...interfaces] } },
            networks: [{ name: 'default', pod: {} }, ...interfaces.map(networkOf)],
          },
        },
      },
    });
  }

  /** The VMI and its first pod, until the guest runs on `node`. Returns the pod's name. */
  boot(node: string): string {
    this.createVmi();
    const pod = this.createPod();
    this.bind(pod, node);
    this.vmi({ status: { phase: 'Scheduling' } });
    this.podPhase(pod, 'Running');
    this.vmi({
      status: { phase: 'Scheduled', nodeName: node },
      metadata: { labels: { 'kubevirt.io/nodeName': node } },
    });
    this.vmi({ status: { phase: 'Running' } });
    return pod;
  }

  createVmi(metadata: Json = {}, status: Json = { phase: 'Pending' }): void {
    this.#incarnation += 1;
    const { spec } = this.#get('VirtualMachine', this.name);
    this.put('VirtualMachineInstance', this.name, {
      metadata: {
        uid: this.vmiUid,
        ...metadata,
        ownerReferences: [
          { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachine', name: this.name, uid: this.vmUid, controller: true },
        ],
      },
      spec: Object(Object(spec).template).spec,
      status,
    });
  }

  createPod(labels: Json = {}, annotations: Json = {}): string {
    this.#pods += 1;
    const name = `virt-launcher-${this.name}-${this.#pods}`;
    this.put('Pod', name, {
      metadata: {
        uid: `pod-${this.namespace}-${this.name}-${this.#pods}`,
        creationTimestamp: `2026-11-21T05:00:${String(this.#pods).padStart(2, '0')}Z`,
        labels: {
          'kubevirt.io': 'virt-launcher',
          'kubevirt.io/created-by': this.vmiUid,
          'vm.kubevirt.io/name': hostNameOf(this.name),
          ...labels,
        },
        annotations: { 'kubevirt.io/domain': this.name, ...annotations },
        ownerReferences: [
          {
            apiVersion: 'kubevirt.io/v1',
            kind: 'VirtualMachineInstance',
            name: this.name,
            uid: this.vmiUid,
            controller: true,
          },
        ],
      },
      spec: { containers: [{ name: 'compute' }] },
      status: { phase: 'Pending' },
    });
    return name;
  }

  bind(pod: string, nodeName: string): void {
    this.patch('Pod', pod, { spec: { nodeName } });
  }

  podPhase(pod: string, phase: string): void {
    this.patch('Pod', pod, { status: { phase } });
  }

  /** T0–T5: the VMIM and its target pod, bound to `node` and running. Returns the pod's name. */
  beginMigration(vmim: string, node: string, nics: readonly string[] = []): string {
    this.createVmim(vmim);
    this.vmimPhase(vmim, 'Pending');
    const labels = { 'kubevirt.io/migrationJobUID': this.vmimUid(vmim), 'kubevirt.io/nodeName': this.nodeName };
    const networks = nics.length > 0 && { 'k8s.v1.cni.cncf.io/networks': this.networksAnnotation(nics) };
    const pod = this.createPod(labels, { 'kubevirt.io/migrationJobName': vmim, ...networks });
    this.bind(pod, node);
    this.vmimPhase(vmim, 'Scheduling');
    this.podPhase(pod, 'Running');
    this.vmimPhase(vmim, 'Scheduled');
    return pod;
  }

  createVmim(vmim: string, spec: Json = { vmiName: this.name }): void {
    this.put('VirtualMachineInstanceMigration', vmim, {
      metadata: { uid: this.vmimUid(vmim), finalizers: ['kubevirt.io/migrationJobFinalize'] },
      spec,
    });
  }

  /** T6, T7. */
  handOff(vmim: string, targetPod: string, sourcePod: string): void {
    const targetNode = String(Object(this.#get('Pod', targetPod).spec).nodeName);
    this.replaceMigrationState({
      ...{ migrationUid: this.vmimUid(vmim), sourceNode: this.nodeName, targetNode, sourcePod, targetPod },
    });
    this.vmimPhase(vmim, 'PreparingTarget');
  }

  /** T8–T12: until the domain is seen on the target. */
  migrate(vmim: string, mode = 'PreCopy'): void {
    this.migrationState({ targetNodeAddress: '192.0.2.12', targetDirectMigrationNodePorts: { 40001: 0 } });
    this.vmimPhase(vmim, 'TargetReady');
    this.migrationState({ startTimestamp: '2026-11-21T05:10:00Z', mode: 'PreCopy' });
    this.vmimPhase(vmim, 'Running');
    this.migrationState({ targetNodeDomainDetected: true });
    if (mode !== 'PreCopy') this.migrationState({ mode });
  }

  /** T13, T14. */
  domainReady(targetPod: string): void {
    this.migrationState({ targetNodeDomainReadyTimestamp: '2026-11-21T05:10:20Z' });
    this.readyAnnotation(targetPod);
  }

  readyAnnotation(targetPod: string): void {
    const annotations = { 'kubevirt.io/migration-target-ready-timestamp': '2026-11-21 05:10:20 +0000 UTC' };
    this.patch('Pod', targetPod, { metadata: { annotations } });
  }

  /** T15–T19. */
  succeed(vmim: string, targetPod: string, sourcePod: string): void {
    const node = String(Object(this.#get('Pod', targetPod).spec).nodeName);
    this.vmi({
      metadata: { labels: { 'kubevirt.io/nodeName': node } },
      status: { nodeName: node, migrationState: { endTimestamp: '2026-11-21T05:10:21Z' } },
    });
    this.migrationState({ completed: true });
    this.vmimPhase(vmim, 'Succeeded');
    this.podPhase(sourcePod, 'Succeeded');
  }

  /** A whole migration by pre-copy. Returns the pod the guest is in now. */
  move(vmim: string, sourcePod: string, node: string): string {
    const targetPod = this.beginMigration(vmim, node);
    this.handOff(vmim, targetPod, sourcePod);
    this.migrate(vmim);
    this.domainReady(targetPod);
    this.succeed(vmim, targetPod, sourcePod);
    return targetPod;
  }

  /** A secondary network and the NetworkAttachmentDefinition by which NICs get onto it. */
  attachable(name: string, subnet: string): void {
    this.put('Network', name, {
      metadata: { uid: `network-${this.namespace}-${name}` },
      spec: { topology: 'overlay', role: 'secondary', subnets: [subnet] },
    });
    this.attachmentDefinition(name, { network: name });
  }

  attachmentDefinition(name: string, conf: Json): void {
    this.put('NetworkAttachmentDefinition', name, {
      metadata: { uid: `nad-${this.namespace}-${name}` },
      spec: { config: JSON.stringify({ cniVersion: '1.0.0', name, type: 'hawser', ...conf }) },
    });
  }

  /** The VMI's further NICs are these now, by the names of their networks; `absent` ones are to be unplugged. */
  furtherNics(names: readonly string[], absent: readonly string[] = []): void {
    const { domain, networks } = Object(this.#get('VirtualMachineInstance', this.name).spec);
    const [nic] = Object(domain).devices.interfaces;
    const further = names.map((name) => ({ name, bridge: {}, ...(absent.includes(name) && { state: 'absent' }) }));
    const interfaces = [nic, ...further];
    this.vmi({ spec: { domain: { devices: { interfaces } }, networks: [networks[0], ...further.map(networkOf)] } });
  }

  /** What the template says of its further NICs. */
  templateNics(names: readonly string[]): void {
    const { template } = Object(this.#get('VirtualMachine', this.name).spec);
    const [nic] = template.spec.domain.devices.interfaces;
    const further = names.map((name) => ({ name, bridge: {} }));
    const networks = [template.spec.networks[0], ...further.map(networkOf)];
    const devices = { interfaces: [nic, ...further] };
    this.patch('VirtualMachine', this.name, { spec: { template: { spec: { domain: { devices }, networks } } } });
  }

  /** Annotation `k8s.v1.cni.cncf.io/networks` as virt-controller writes it; empty text after the last was unplugged. */
  plugs(pod: string, names: readonly string[]): void {
    const networks = names.length === 0 ? '' : this.networksAnnotation(names);
    this.patch('Pod', pod, { metadata: { annotations: { 'k8s.v1.cni.cncf.io/networks': networks } } });
  }

  networksAnnotation(names: readonly string[]): string {
    const { namespace } = this;
    return JSON.stringify(names.map((name) => ({ interface: podInterfaceOf(name), name, namespace })));
  }

  /** What virt-controller (or the source) writes on the VMI when a migration has failed. */
  failOnVmi(reason: string, more: Json = {}): void {
    this.migrationState({
      failed: true,
      completed: true,
      endTimestamp: '2026-11-21T05:10:30Z',
      failureReason: reason,
      ...more,
    });
  }

  /** Deletes the VM's VMI with all its pods, as a stop does: pods end, and the VMI last. */
  stop(): void {
    this.vmi({ metadata: { deletionTimestamp: '2026-11-21T06:00:00Z' } });
    this.vmi({ status: { phase: 'Succeeded' } });
    this.dropPods();
    this.remove('VirtualMachineInstance', this.name);
  }

  dropPods(): void {
    for (const [id] of [...this.#objects]) {
      const [kind, name = ''] = id.split(' ');
      if (kind === 'Pod' && name.startsWith('virt-launcher')) this.remove('Pod', name);
    }
  }

  vmimUid(vmim: string): string {
    return `vmim-${this.namespace}-${vmim}`;
  }

  vmimPhase(vmim: string, phase: string): void {
    this.patch('VirtualMachineInstanceMigration', vmim, { status: { phase } });
  }

  vmi(patch: Json): void {
    this.patch('VirtualMachineInstance', this.name, patch);
  }

  migrationState(patch: Json): void {
    this.vmi({ status: { migrationState: patch } });
  }

  /** T6 replaces it whole: nothing of the last migration survives. */
  replaceMigrationState(state: Json): void {
    const vmi = this.#get('VirtualMachineInstance', this.name);
    this.put('VirtualMachineInstance', this.name, {
      ...vmi,
      metadata: merged(vmi.metadata, { labels: { 'kubevirt.io/migrationTargetNodeName': state.targetNode } }),
      status: { ...Object(vmi.status), migrationState: state },
    });
  }

  get nodeName(): string {
    return String(Object(this.#get('VirtualMachineInstance', this.name).status).nodeName);
  }

  /** A JSON merge patch, as RFC 7386. */
  patch(kind: string, name: string, patch: Json): void {
    const patched = merged(this.#get(kind, name), patch);
    this.put(kind, name, Object(patched));
  }

  put(kind: string, name: string, object: Json): void {
    const id = `${kind} ${name}`;
    const type = this.#objects.has(id) ? 'MODIFIED' : 'ADDED';
    this.#stream.version += 1;
    const metadata = {
      ...Object(object.metadata),
      ...{ name, namespace: this.namespace, resourceVersion: String(this.#stream.version) },
    };
    const stored = { ...object, kind, metadata };
    this.#objects.set(id, stored);
    this.#tell(type, kind, stored);
  }

  remove(kind: string, name: string): void {
    const last = this.#get(kind, name);
    this.#objects.delete(`${kind} ${name}`);
    this.#tell('DELETED', kind, last);
  }

  #tell(type: RecordedEvent['type'], kind: string, object: Json): void {
    this.events.push({ seq: this.events.length + 1, type, kind, object });
  }

  #get(kind: string, name: string): Json {
    const object = this.#objects.get(`${kind} ${name}`);
    if (object === undefined) throw new Error(`the script has no ${kind} ${name}`);
    return object;
  }
}

/** What several VMs write into. */
export interface Stream {
  readonly events: RecordedEvent[];
  version: number;
}

/** KubeVirt's name for a further NIC in the pod (pkg/network/namescheme). */
function podInterfaceOf(network: string): string {
  return `pod${createHash('sha256').update(network).digest('hex').slice(0, 11)}`;
}

/** As `SanitizeHostname` makes it (pkg/network/dns). */
function hostNameOf(vm: string): string {
  return (vm.split('.')[0] ?? '').slice(0, 63).replace(/-+$/, '');
}

function networkOf({ name }: Json): Json {
  return { name, multus: { networkName: String(name) } };
}

function merged(before: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = { ...Object(before) };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merged(result[name], value);
  }
  return result;
}
