import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take long, the longest first: where two files run at a time, none of them is left to run by itself at the end. */
export const longest: readonly string[] = [
  'test/controller/history.test.ts',
  'test/dhcp/fuzz/fuzz.test.ts',
  'test/dhcp/ovn/native.lab.test.ts',
  'test/lab/api-server-outage.test.ts',
  'test/kube/faults.lab.test.ts',
  'test/kube/contract.lab.test.ts',
  'test/node-agent/guests.lab.test.ts',
  'test/kube/kubevirt-paths.lab.test.ts',
  'test/kube/credentials.lab.test.ts',
  'test/dhcp/clients/pxe.lab.test.ts',
  'test/controller/leader-change.lab.test.ts',
  'test/node-agent/restart.lab.test.ts',
  'test/lab/virt-qemu.test.ts',
  'test/lab/further-nics.test.ts',
  'test/lab/outside-nic.test.ts',
  'test/node-agent/guest-servers.lab.test.ts',
  'test/deploy/deploy.lab.test.ts',
  'test/ovsdb/session.lab.test.ts',
  'test/lab/guest.test.ts',
];

/** Within a group the files of `longest`, and behind them the others in vitest's own order: what took longest here before, else the largest. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const usual = await super.sort(files);
    return usual.toSorted((a, b) => groupOf(a) - groupOf(b) || rankOf(a) - rankOf(b));
  }
}

function groupOf({ project }: TestSpecification): number {
  return project.config.sequence.groupOrder;
}

function rankOf({ moduleId }: TestSpecification): number {
  const rank = longest.findIndex((file) => moduleId.endsWith(`/${file}`));
  return rank === -1 ? longest.length : rank;
}
