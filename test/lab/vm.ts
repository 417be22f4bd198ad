import { applyManifest, deleteManifest } from '#test/kube/manifest.ts';
import type { GuestReport } from './guest/report.ts';
import { askGuest } from './guest/report-port.ts';
import type { Lab } from './lab.ts';
import { vmYaml } from './manifests.ts';
import { until } from './until.ts';
import type { Launcher } from './virt/handler/launcher.ts';
import type { Pod, VirtualMachineInstance } from './virt/objects.ts';

/** One VM of the lab, seen from outside (objects, launcher pods, QEMU) and from inside (what its guest reports). */
export class LabVm {
  readonly name: string;
  readonly attach: string;
  readonly #binding: string;
  readonly #lab: Lab;

  constructor(lab: Lab, name: string, { binding, attach }: { readonly binding: string; readonly attach: string }) {
    this.#lab = lab;
    this.name = name;
    this.attach = attach;
    this.#binding = binding;
  }

  /** Name of its logical switch port. */
  get port(): string {
    return `vm/default/${this.name}`;
  }

  /** Applies the manifest. Resolves when the guest has taken its addresses, wherever it was scheduled. */
  async boot(): Promise<GuestReport> {
    await applyManifest(this.#lab.kubernetes.api, vmYaml(this.name, this.#binding));
    return this.untilConfigured();
  }

  /** Stops the VM and resolves when its VMI and pods are gone. */
  async stop(): Promise<void> {
    await this.#setRunStrategy('Halted');
    await until(
      this.#lab.view,
      `${this.name} is stopped`,
      () => this.vmi === undefined && this.launcherPods.length === 0,
    );
  }

  async start(node: string): Promise<GuestReport> {
    return this.#lab.onlyOn(node, async () => {
      await this.#setRunStrategy('Always');
      return this.untilConfigured();
    });
  }

  /** Deletes the VM and resolves when nothing of it is left in the API. */
  async delete(): Promise<void> {
    await deleteManifest(this.#lab.kubernetes.api, vmYaml(this.name, this.#binding));
    const { view } = this.#lab;
    await until(view, `${this.name} is gone`, () => {
      const isVmThere = view.virtualMachine('default', this.name) !== undefined;
      return !isVmThere && this.vmi === undefined && this.launcherPods.length === 0;
    });
  }

  get vmi(): VirtualMachineInstance | undefined {
    return this.#lab.view.vmi('default', this.name);
  }

  get launcherPods(): readonly Pod[] {
    return this.#lab.view
      .pods('default')
      .filter(({ metadata }) => metadata.annotations?.['kubevirt.io/domain'] === this.name);
  }

  /** Where the VMI says that the guest runs. */
  get node(): string {
    return this.vmi?.status.nodeName ?? '';
  }

  /** The launcher that has the guest now. */
  get launcher(): Launcher {
    const found = this.launcherOn(this.node);
    if (found === undefined) throw new Error(`${this.name} has no launcher on ${this.node || 'any node'}`);
    return found;
  }

  /** Its newest launcher on a node. */
  launcherOn(node: string): Launcher | undefined {
    const pods = this.launcherPods.filter(({ spec }) => spec.nodeName === node);
    for (const { metadata } of pods.toReversed()) {
      const launcher = this.#lab.kubeVirt.handler(node).launcherOf(metadata.name);
      if (launcher !== undefined && !launcher.isEnded) return launcher;
    }
    return undefined;
  }

  /** What the guest sees now. */
  async report(): Promise<GuestReport> {
    const { machine } = this.launcher;
    if (machine === undefined) throw new Error(`${this.name} has no domain`);
    return askGuest(machine.reportSocket);
  }

  async untilConfigured(): Promise<GuestReport> {
    await until(this.#lab.view, `${this.name} runs`, () => this.vmi?.status.phase === 'Running');
    const { machine } = this.launcher;
    if (machine === undefined) throw new Error(`${this.name} has no domain`);
    const hasBoth = ({ ipv4, ipv6, gateway }: GuestReport) =>
      ipv4.length > 0 && ipv6.length > 0 && gateway.ipv4?.mac !== undefined && gateway.ipv6?.mac !== undefined;
    return askGuest(machine.reportSocket, { until: hasBoth, timeoutMs: 180_000 });
  }

  async #setRunStrategy(runStrategy: string): Promise<void> {
    await applyManifest(
      this.#lab.kubernetes.api,
      `{apiVersion: kubevirt.io/v1, kind: VirtualMachine, metadata: {name: ${this.name}, namespace: default}, spec: {runStrategy: ${runStrategy}}}`,
    );
  }
}
