/** Versions of the CNI specification that are spoken, oldest first. */
export const supportedVersions = ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const;

export type CniVersion = (typeof supportedVersions)[number];

export function isSupported(version: string): version is CniVersion {
  return supportedVersions.some((supported) => supported === version);
}

/** Whether `version` has what the specification added in `since`. */
export function has(version: CniVersion, since: CniVersion): boolean {
  return supportedVersions.indexOf(version) >= supportedVersions.indexOf(since);
}

/** The answer to VERSION. */
export function versionAnswer(): { readonly cniVersion: string; readonly supportedVersions: readonly string[] } {
  return { cniVersion: '1.1.0', supportedVersions };
}
