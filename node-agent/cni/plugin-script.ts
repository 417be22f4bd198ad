import { cniErrorCodes } from './error.ts';
import { versionAnswer } from './version.ts';

/** Where the agent answers the plugin: beside the socket that its configuration names. */
export function pluginSocket(agentSocket: string): string {
  return `${agentSocket}.cni`;
}

/**
 * The executable of the CNI specification: passes its call to the node agent's unix socket by ovs-appctl(8), which is on every node, and
 * prints the answer. It decides nothing, so that an agent can be upgraded without touching `/opt/cni/bin`
 * (docs/decisions/plugin-executable.md).
 *
 * Of the network configuration it reads nothing but the agent's socket, and the version when there is nobody to answer: whether the rest is
 * right is the agent's to say. Linux takes 128 KiB in one argument: a GC that names 1,300 containers.
 */
export function pluginScript(): string {
  return `#!/bin/sh
if [ "$CNI_COMMAND" = VERSION ]; then
  printf %s '${JSON.stringify(versionAnswer())}'
  exit
fi
conf=$(cat)
# The text of the first "$1" in the configuration, or $2.
text_of() {
  text=$2
  case $conf in *"\\"$1\\""*) text=\${conf#*"\\"$1\\""}; text=\${text#*\\"}; text=\${text%%\\"*} ;; esac
}
text_of socket /run/hawser/agent.sock
socket=$text
PATH=$PATH:/usr/local/bin:/usr/bin:/bin
newline='
'
# The answer is what to print, and in a last line the status to end with. A runtime that kills this script would wait for whoever has its
# standard error open.
if answer=$(ovs-appctl --target="${pluginSocket('$socket')}" cni "CNI_COMMAND=$CNI_COMMAND" "CNI_CONTAINERID=$CNI_CONTAINERID" \\
  "CNI_NETNS=$CNI_NETNS" "CNI_IFNAME=$CNI_IFNAME" "CNI_ARGS=$CNI_ARGS" "CNI_PATH=$CNI_PATH" "$conf" 2> /dev/null); then
  printf %s "\${answer%"$newline"*}"
  exit "\${answer##*"$newline"}"
fi
why="the node agent does not answer on $socket: is it running on this node?"
command -v ovs-appctl > /dev/null || why="ovs-appctl, which comes with Open vSwitch, is not on this node's PATH"
case $CNI_COMMAND in
  DEL | GC)
    # The runtime retries a failing DEL for ever and keeps the pod. The sandbox goes with its NIC in it, and an agent that
    # starts finds the port without a device and removes it.
    echo "hawser: $why It will clean up when it starts." >&2
    exit 0
    ;;
  STATUS) code=${cniErrorCodes.notAvailable} ;;
  *) code=${cniErrorCodes.tryAgainLater} ;;
esac
text_of cniVersion 1.1.0
printf '{"cniVersion":"%s","code":%s,"msg":"%s"}' "$text" "$code" "$why"
exit 1
`;
}
