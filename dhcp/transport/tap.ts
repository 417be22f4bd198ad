import { closeSync, constants, existsSync, openSync, readSync, writeSync } from 'node:fs';
import { ip } from './command.ts';
import { TransportError } from './transport.ts';

/** A macvtap on some interface: whole Ethernet frames in and out, from and to its own Ethernet address and all groups. */
export interface Tap {
  /** What the network refuses is lost, as on any Ethernet. */
  send(frame: Uint8Array): void;
  close(): Promise<void>;
}

export interface TapOptions {
  readonly parent: string;
  readonly netns?: string;
  readonly mac: string;
  /** `mac` is the parent's own: its traffic passes through the tap, and by its own stack, until the tap is closed. */
  readonly takesOver?: boolean;
  /** The frame's bytes are valid during the call only. */
  onFrame(frame: Uint8Array): void;
  /** The device is gone. */
  onEnd(error: TransportError): void;
}

/** Bytes of `struct virtio_net_hdr` in front of each frame. */
const vnetHeader = 10;
const largestFrame = 2048;
const noOffload = Buffer.alloc(vnetHeader);

// The character device is polled: Node offers no readiness for it, and a blocked read would never return once the device is
// gone. An empty look costs some 15 µs, so an idle segment costs a fifth of a percent of a core.
const busyPollMs = 1;
const idlePollMs = 8;
const busyForMs = 1000;
const framesAtOnce = 256;
const aliveCheckMs = 1000;
/** Frames that wait while this process does something else: 0.2 s of a flood. The kernel keeps 500 by itself. */
const framesKept = 2048;

/** Makes the macvtap and opens its character device, whose name holds the interface index. @throws TransportError */
export async function openTap({ parent, netns, mac, takesOver = false, onFrame, onEnd }: TapOptions): Promise<Tap> {
  const index = uniqueIndex();
  const path = `/dev/tap${index}`;
  // Named for its address, so that one left by a process that was killed is found and replaced.
  const name = `hwd${mac.replaceAll(':', '')}`;
  const kind = takesOver ? 'type macvtap mode passthru' : `address ${mac} type macvtap mode bridge`;
  const remove = (): Promise<unknown> => ip(netns, ['link', 'del', name]).catch(() => {});
  let fd: number;
  await remove();
  try {
    // Solicitations go to groups the device has not joined.
    const make = `link add link ${parent} name ${name} index ${index} txqueuelen ${framesKept} ${kind}`;
    await ip(netns, ['-batch', '-'], `${make}\nlink set ${name} up\nlink set ${name} allmulticast on\n`);
    fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  } catch (error) {
    await remove();
    throw new TransportError(error instanceof Error ? error.message : String(error));
  }

  const buffer = Buffer.alloc(vnetHeader + largestFrame);
  let isClosed = false;
  let lastFrameAt = 0;
  let lastAliveAt = performance.now();
  let cancel = poll(0);

  function poll(delayMs: number): () => void {
    if (delayMs === 0) {
      const immediate = setImmediate(look);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(look, delayMs);
    return () => clearTimeout(timer);
  }

  function look(): void {
    const now = performance.now();
    let frames = 0;
    while (frames < framesAtOnce && !isClosed) {
      const length = readFrame(fd, buffer);
      if (length === undefined) break;
      frames++;
      if (length > vnetHeader) onFrame(buffer.subarray(vnetHeader, length));
    }
    if (isClosed) return;
    if (frames > 0) lastFrameAt = now;
    if (now - lastAliveAt > aliveCheckMs) {
      lastAliveAt = now;
      if (!existsSync(path)) {
        onEnd(new TransportError(`${parent}: the macvtap is gone`));
        return;
      }
    }
    if (frames > 0) cancel = poll(0);
    else cancel = poll(now - lastFrameAt < busyForMs ? busyPollMs : idlePollMs);
  }

  return {
    send(frame) {
      try {
        writeSync(fd, Buffer.concat([noOffload, frame]));
      } catch {
        // The segment is down or full. That the device is gone shows in the poll.
      }
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      cancel();
      closeSync(fd);
      await remove();
    },
  };
}

/** Undefined when there is none, or the device is going away. */
function readFrame(fd: number, buffer: Buffer): number | undefined {
  try {
    return readSync(fd, buffer);
  } catch {
    return undefined;
  }
}

let made = 0;
/** Unique on this host. Interface indexes go up to 2³¹−1; those the kernel hands out by itself stay low. */
function uniqueIndex(): number {
  made += 1;
  return 0x4000_0000 + ((process.pid * 64 + (made % 64)) % 0x3fff_ffff);
}
