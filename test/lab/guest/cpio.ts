/**
 * Writes a cpio archive in the "new ASCII" format, the one the kernel takes as an initramfs (Linux
 * Documentation/driver-api/early-userspace/buffer-format.rst). Owners are root, times are 0 and names are sorted, so that
 * equal entries give equal bytes.
 */
export function cpioArchive(entries: ReadonlyMap<string, CpioEntry>): Buffer {
  const withParents = new Map(entries);
  for (const name of entries.keys()) {
    for (let slash = name.lastIndexOf('/'); slash > 0; slash = name.lastIndexOf('/', slash - 1)) {
      const parent = name.slice(0, slash);
      if (!withParents.has(parent)) withParents.set(parent, { kind: 'directory' });
    }
  }
  const sorted = [...withParents].sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = sorted.flatMap(([name, entry], index) => record(index + 1, name, entry));
  parts.push(...record(0, 'TRAILER!!!', { kind: 'file', content: Buffer.alloc(0), mode: 0 }));
  return Buffer.concat(parts);
}

/** One name in the archive; names are relative, without a leading slash. Modes are permission bits only. */
export type CpioEntry =
  | { kind: 'file'; content: Buffer; mode: number }
  | { kind: 'directory' }
  | { kind: 'symlink'; target: string }
  | { kind: 'characterDevice'; major: number; minor: number };

const fileType = { file: 0o100000, directory: 0o040000, symlink: 0o120000, characterDevice: 0o020000 };

function record(inode: number, name: string, entry: CpioEntry): Buffer[] {
  const body = entry.kind === 'file' ? entry.content : Buffer.from(entry.kind === 'symlink' ? entry.target : '');
  const permissions = entry.kind === 'file' ? entry.mode : entry.kind === 'characterDevice' ? 0o600 : 0o755;
  const [major, minor] = entry.kind === 'characterDevice' ? [entry.major, entry.minor] : [0, 0];
  const nameBytes = Buffer.from(`${name}\0`);
  const fields = [
    inode,
    fileType[entry.kind] | permissions,
    0, // uid
    0, // gid
    1, // nlink
    0, // mtime
    body.length,
    0, // devmajor
    0, // devminor
    major,
    minor,
    nameBytes.length,
    0, // check, unused in this format
  ];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
  return [padded(Buffer.concat([header, nameBytes])), padded(body)];
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
