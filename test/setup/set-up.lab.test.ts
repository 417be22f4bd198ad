import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { candidateVersions } from './apt.ts';
import { installDebianPackages } from './debian-packages.ts';
import { ovnInstallation } from './ovn-root.ts';
import { prepare } from './prepare.ts';
import { SetUpError } from './set-up-error.ts';

test('once everything is there, set-up is silent', async () => {
  await prepare({ log: () => {} });
  const lines: string[] = [];
  await prepare({ log: (line) => lines.push(line) });
  expect(lines).toEqual([]);
});

test('apt is asked what it would install; what it has never heard of is not in the answer', async () => {
  const versions = await candidateVersions(['ovn-central', 'no-such-package']);
  expect(Object.fromEntries(versions)).toEqual({ 'ovn-central': expect.stringMatching(/^2\d\.\d\d\./) });
});

test('a package that cannot be had is one line that says so', async () => {
  const failed = installDebianPackages(['no-such-package'], () => {});
  await expect(failed).rejects.toThrow(SetUpError);
  await expect(failed).rejects.toThrow(/^apt knows no package no-such-package; .*$/);
});

test("the machine's own OVN is found with its schemas", async () => {
  const { version, ovnSchemas, ovsSchemas } = await ovnInstallation();
  expect(version).toMatch(/^\d\d\.\d\d$/);
  expect([`${ovnSchemas}/ovn-sb.ovsschema`, `${ovsSchemas}/vswitch.ovsschema`].map(existsSync)).toEqual([true, true]);
});

test('an OVN that no Debian release has is one line that names those there are', async () => {
  await expect(prepare({ ovn: '20.06', log: () => {} })).rejects.toThrow(
    'there is no OVN 20.06 to set up; choose one of 23.03, 25.03.',
  );
});
