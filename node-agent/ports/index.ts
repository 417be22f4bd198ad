import type { AttachKind } from '../port-request.ts';
import { managedTap } from './managed-tap.ts';
import type { PodNicKind } from './pod-nic.ts';
import { podTap } from './pod-tap.ts';
import { veth } from './veth.ts';

/** The menu: kinds that end in a pod's network namespace and are built by CNI ADD. `tap` is not one of them: see `tap.ts`. */
export const podNicKinds: Partial<Record<AttachKind, PodNicKind>> = { veth, managedTap, podTap };
