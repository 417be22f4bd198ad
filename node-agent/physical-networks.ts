import { moveAddresses, readDevice } from './addresses.ts';
import type { Run } from './commands.ts';
import type { Config } from './config.ts';
import type { LocalSwitch } from './local-switch.ts';
import { addBridgeOperations, removeBridgeOperations, staleBridges } from './physical-bridge.ts';

export interface PhysicalNetworksOptions {
  readonly config: Config;
  readonly local: LocalSwitch;
  readonly run: Run;
  /** Told of every NIC that was moved. */
  readonly onMoved: (move: { readonly from: string; readonly to: string }) => void;
}

/**
 * Puts the NIC of each configured physical network onto a bridge of its own, and takes back what is not configured any more. The
 * host's own addresses and routes on a NIC go along, to the bridge's device and back, in one batch of `ip`: what cuts the node off
 * lasts milliseconds, and connections live. Killed in between, it goes on where it was; said again, it changes nothing.
 * @throws SwitchFailed, CommandFailed
 */
export async function applyPhysicalNetworks({ config, local, run, onMoved }: PhysicalNetworksOptions): Promise<void> {
  for (const stale of staleBridges(config.physicalNetworks, local.bridges())) {
    // The NIC hears nothing until the bridge has let go of it; the other way round the addresses would be nowhere for a moment.
    await moveAddresses(run, stale.name, stale.nic);
    await local.bridge.reconfigure((rootUuid) => removeBridgeOperations(rootUuid, stale));
    onMoved({ from: stale.name, to: stale.nic });
  }
  for (const { bridge, nic } of config.physicalNetworks) {
    if (nic === undefined) continue;
    if (!local.bridges().some(({ name }) => name === bridge)) {
      const { mac, mtuBytes } = await readDevice(run, nic);
      await local.bridge.reconfigure((rootUuid) =>
        addBridgeOperations(rootUuid, { bridge, nic }, { mac, mtuBytes }, config.datapathType),
      );
    }
    if (await moveAddresses(run, nic, bridge)) onMoved({ from: nic, to: bridge });
  }
}
