import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { processesIn } from '#test/lab/topology/cgroups.ts';
import type { LabKubelet } from '#test/lab/worker-node.ts';
import { launcherProgram } from './images.ts';

/**
 * The pods of a real kubelet, as a virt-handler on that node sees them: by their processes, which are in a cgroup that has the pod's
 * UID in its name (kubelet's pkg/kubelet/cm/pod_container_manager_linux.go).
 *
 * @param cgroup the kubelet's `cgroupRoot`
 */
export function podsOfCgroup(cgroup: string): LabKubelet {
  const processes = (podUid: string) =>
    ['', 'burstable', 'besteffort'].flatMap((qos) => [...processesIn(join(cgroup, 'kubepods', qos, `pod${podUid}`))]);
  return {
    sandboxOf: (podUid) => {
      // The sandbox's own process is the first there is, and the last.
      const pids = processes(podUid);
      return pids.length === 0 ? undefined : { netns: `/proc/${Math.min(...pids)}/ns/net` };
    },
    launcherExited: (podUid, exitCode) => {
      for (const pid of processes(podUid)) {
        if (commandLine(pid).includes(launcherProgram)) process.kill(pid, exitCode === 0 ? 'SIGUSR1' : 'SIGUSR2');
      }
    },
  };
}

function commandLine(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return []; // It has ended.
  }
}
