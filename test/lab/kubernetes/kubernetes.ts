import type { KubeApi } from '#controller/kube/api.ts';
import type { JsonObject } from '../kube-api/object.ts';
import type { Transport } from '../virt/kube-client.ts';

/** The Kubernetes API a lab runs on. Nothing else in the lab knows whether it is the stand-in or a real control plane. */
export interface Kubernetes extends AsyncDisposable {
  /** As administrator, which is what the user of a lab is. */
  readonly api: KubeApi;
  /** What starts every `kubectl` command of the user. */
  readonly kubectl: string;
  /** YAML with the credentials our controller has. */
  readonly controllerKubeconfig: string;
  /** Sends the kubelets' requests, with their credentials. */
  readonly asKubelet: Transport;
  /** Sends the requests of KubeVirt's controllers, with theirs. */
  readonly asKubeVirt: Transport;
  /** Whether pods are bound to nodes by the control plane's own scheduler. */
  readonly hasScheduler: boolean;
}

export interface KubernetesOptions {
  /** What mutating webhooks do to KubeVirt's objects that are created. */
  readonly admit: (body: JsonObject) => JsonObject;
  /** The lab's folder, where files go. */
  readonly folder: string;
  /** Belongs into the environment of every process. */
  readonly env: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
}

export type StartKubernetes = (options: KubernetesOptions) => Promise<Kubernetes>;
