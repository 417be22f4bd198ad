import { createHash } from 'node:crypto';

/**
 * The IPAMClaim of a VM's NIC: `<VM>.<network>`, as KubeVirt's ipam-extensions compose it. KubeVirt lets networks have names, and
 * VMs names so long, that no object can be called so; those get a fingerprint (as KubeVirt's `vmi.kubevirt.io/id` does).
 */
export function claimName(vm: string, network: string): string {
  const name = [vm, network].join('.');
  if (name.length <= longestName && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(network)) return name;
  const readable = name
    .toLowerCase()
    .replaceAll(/[^-.a-z0-9]/g, '-')
    .slice(0, longestName - 9);
  return `${readable.replace(/[-.]+$/, '')}-${createHash('sha1').update(name).digest('hex').slice(0, 8)}`;
}

/** RFC 1123 subdomain. */
const longestName = 253;
