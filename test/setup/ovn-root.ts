import { existsSync, globSync } from 'node:fs';
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { aptOutput } from './apt.ts';
import { cachedFolder, cacheFolder } from './cache.ts';
import { SetUpError } from './set-up-error.ts';

/** Where the programs and schemas of one OVN version, and of the Open vSwitch that goes with it, are on this machine. */
export interface OvnInstallation {
  /** `23.03`, `25.03`: year and month of the release. */
  readonly version: string;
  /** `PATH` under which `ovn-northd`, `ovs-vswitchd`, `ovn-nbctl` … are this version's. */
  readonly path: string;
  /** Folder with `ovn-nb.ovsschema` and `ovn-sb.ovsschema`. */
  readonly ovnSchemas: string;
  /** Folder with `vswitch.ovsschema`. */
  readonly ovsSchemas: string;
}

/**
 * Has the OVN of another Debian release at hand in a root of its own: unpacked, not installed, so that no maintainer
 * script runs and the machine's own packages stay as they are.
 *
 * Its programs run through that root's own dynamic loader, which is what the scripts in `<root>/bin` do: no chroot, so no
 * mounts, and the lab's paths mean the same inside and outside.
 *
 * @throws SetUpError when no Debian release has that version, or its packages cannot be had.
 */
export async function prepareOvn(version: string, log: (line: string) => void): Promise<void> {
  if (version === (await machineVersion())) return;
  const suite = suiteWith(version);
  await cachedFolder(rootKey(version), async (root) => {
    log(`setup: OVN ${version} of Debian ${suite}, in ${join(cacheFolder(), rootKey(version))}`);
    const names = ['ovn-central', 'ovn-host', 'openvswitch-switch'];
    const packages = await downloadWithDependencies(join(root, 'download'), suite, names);
    for (const deb of packages) await aptOutput('dpkg', ['--extract', deb, root]);
    await rm(join(root, 'download'), { recursive: true });
    await writeStarters(root);
  });
}

/** What `prepare({ovn})` has made ready; the machine's own OVN when `version` is absent or names it. */
export async function ovnInstallation(version?: string): Promise<OvnInstallation> {
  const own = await machineVersion();
  const path = `${process.env.PATH}:/usr/sbin:/sbin`;
  if (version === undefined || version === own) {
    if (own === undefined)
      throw new SetUpError('OVN is not installed; run "npm test" or "npm run lab", which install it.');
    return { version: own, path, ovnSchemas: '/usr/share/ovn', ovsSchemas: '/usr/share/openvswitch' };
  }
  const root = join(cacheFolder(), rootKey(version));
  if (!existsSync(root)) throw new SetUpError(`OVN ${version} is not set up; run "npm run lab -- --ovn ${version}".`);
  return {
    version,
    path: `${join(root, 'bin')}:${path}`,
    ovnSchemas: join(root, 'usr/share/ovn'),
    ovsSchemas: join(root, 'usr/share/openvswitch'),
  };
}

/** Debian releases by the OVN they have. */
const suites: Readonly<Record<string, string>> = { '23.03': 'bookworm', '25.03': 'trixie' };

function suiteWith(version: string): string {
  const suite = suites[version];
  if (suite !== undefined) return suite;
  throw new SetUpError(`there is no OVN ${version} to set up; choose one of ${Object.keys(suites).join(', ')}.`);
}

const rootKey = (version: string): string => `ovn-${version}`;

async function machineVersion(): Promise<string | undefined> {
  if (!existsSync('/usr/share/ovn/ovn-nb.ovsschema')) return undefined;
  const nameAndVersion = await aptOutput('dpkg-query', ['--show', 'ovn-common']);
  return /^ovn-common\t(?:\d+:)?(\d+\.\d+)/.exec(nameAndVersion)?.[1];
}

/**
 * Fetches packages of another release with all they depend on. apt does it, with this machine's mirror and trust but
 * with lists of its own and as if nothing were installed.
 */
async function downloadWithDependencies(folder: string, suite: string, names: readonly string[]): Promise<string[]> {
  const [lists, archives] = [join(folder, 'lists'), join(folder, 'archives')];
  await mkdir(join(lists, 'partial'), { recursive: true });
  await mkdir(join(archives, 'partial'), { recursive: true });
  const [sources, status] = [join(folder, 'sources.list'), join(folder, 'status')];
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  await writeFile(sources, `deb [signed-by=${keyring}] ${await debianMirror()} ${suite} main\n`);
  await writeFile(status, '');
  const settings = {
    'Dir::Etc::SourceList': sources,
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::Etc::Preferences': '/dev/null',
    'Dir::Etc::PreferencesParts': '/dev/null',
    'Dir::State::Lists': lists,
    'Dir::State::status': status,
    'Dir::Cache': folder,
    'Dir::Cache::Archives': archives,
    'Acquire::Languages': 'none',
    // The folder is root's own, which apt's unprivileged user may not write to.
    'APT::Sandbox::User': 'root',
  };
  const apart = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  await aptOutput('apt-get', [...apart, 'update']);
  await aptOutput('apt-get', [...apart, '--yes', '--no-install-recommends', '--download-only', 'install', ...names]);
  // Of the rest (Python, systemd, …) our programs need nothing.
  return (await readdir(archives))
    .filter((file) => /^(ovn-|openvswitch-|lib|zlib1g_).*\.deb$/.test(file))
    .map((file) => join(archives, file));
}

/** The mirror this machine gets its Debian packages from. */
async function debianMirror(): Promise<string> {
  const format = ['ORIGIN', 'LABEL', 'REPO_URI'].map((field) => `$(${field})`).join(' ');
  const targets = await aptOutput('apt-get', ['indextargets', '--format', format, 'Identifier: Packages']);
  const mirror = /^Debian Debian (\S+)$/m.exec(targets)?.[1];
  if (mirror === undefined)
    throw new SetUpError('no Debian mirror in /etc/apt; add one there and run "apt-get update".');
  return mirror;
}

/**
 * `<root>/bin/<program>` for every program: it starts the program with the root's loader and libraries. Each is tried
 * once, so that a library that is missing shows here.
 */
async function writeStarters(root: string): Promise<void> {
  // Debian 12's packages still have both; an installed system has made them one.
  const folders = globSync('{usr/,}lib/*-linux-gnu*', { cwd: root });
  const [loader] = globSync('{usr/,}lib/*-linux-gnu*/ld-linux*.so.*', { cwd: root });
  if (loader === undefined) throw new Error(`no dynamic loader in ${root}`);
  await mkdir(join(root, 'bin'));
  for (const program of programs) {
    const name = program.slice(program.lastIndexOf('/') + 1);
    const starter = join(root, 'bin', name);
    await writeFile(
      starter,
      [
        '#!/bin/sh',
        `root=\${0%/bin/*}`,
        `exec "$root/${loader}" --library-path "${folders.map((folder) => `$root/${folder}`).join(':')}" \\`,
        `  --argv0 ${name} "$root/${program}" "$@"`,
        '',
      ].join('\n'),
    );
    await chmod(starter, 0o755);
    await aptOutput(starter, ['--version']);
  }
}

const programs = [
  'usr/bin/ovn-appctl',
  'usr/bin/ovn-controller',
  'usr/bin/ovn-nbctl',
  'usr/bin/ovn-northd',
  'usr/bin/ovn-sbctl',
  'usr/bin/ovn-trace',
  'usr/bin/ovs-appctl',
  'usr/bin/ovs-ofctl',
  'usr/bin/ovs-vsctl',
  'usr/bin/ovsdb-client',
  'usr/bin/ovsdb-tool',
  'usr/lib/openvswitch-switch/ovs-vswitchd',
  'usr/sbin/ovsdb-server',
];
