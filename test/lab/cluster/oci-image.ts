import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from '#test/lab/topology/command.ts';

export interface ImageSpec {
  /** References under which it is known, with tags. */
  readonly names: readonly string[];
  /** Uncompressed tar files, the lowest layer first. */
  readonly layers: readonly string[];
  /** The image configuration's `config`: `Env`, `Entrypoint`, `Cmd`, `WorkingDir`. */
  readonly config: Readonly<Record<string, unknown>>;
}

/**
 * Writes an image as one tar file that `ctr images import` takes: an OCI image layout (image-spec 1.0, image-layout.md). The name of
 * an image is in containerd's own annotation.
 */
export async function writeOciImage(file: string, { names, layers, config }: ImageSpec): Promise<void> {
  const folder = await mkdtemp(join(dirname(file), 'image-'));
  const blobs = join(folder, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });
  const write = async (mediaType: string, content: object) => {
    const text = JSON.stringify(content);
    const digest = createHash('sha256').update(text).digest('hex');
    await writeFile(join(blobs, digest), text);
    return { mediaType, digest: `sha256:${digest}`, size: Buffer.byteLength(text) };
  };
  const layerDescriptors = await Promise.all(
    layers.map(async (layer) => {
      const digest = await sha256(layer);
      await link(layer, join(blobs, digest));
      const { size } = await stat(layer);
      return { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: `sha256:${digest}`, size };
    }),
  );
  const configDescriptor = await write('application/vnd.oci.image.config.v1+json', {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config,
    rootfs: { type: 'layers', diff_ids: layerDescriptors.map(({ digest }) => digest) },
  });
  const manifest = await write('application/vnd.oci.image.manifest.v1+json', {
    schemaVersion: 2,
    config: configDescriptor,
    layers: layerDescriptors,
  });
  const named = names.map((name) => ({ ...manifest, annotations: { 'io.containerd.image.name': name } }));
  await writeFile(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: named }));
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await run('tar', ['--create', `--file=${file}`, `--directory=${folder}`, 'oci-layout', 'index.json', 'blobs']);
  await rm(folder, { recursive: true });
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest('hex');
}
