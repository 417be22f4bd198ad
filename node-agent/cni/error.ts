/**
 * Error codes of the CNI specification 1.1.0, section "Error"; 100 and above are a plugin's own.
 */
export const cniErrorCodes = {
  incompatibleVersion: 1,
  unsupportedField: 2,
  unknownContainer: 3,
  invalidEnvironment: 4,
  ioFailure: 5,
  undecodable: 6,
  invalidConfig: 7,
  tryAgainLater: 11,
  /** STATUS: ADD cannot be served. */
  notAvailable: 50,
  /** STATUS: ADD cannot be served, and running containers may have limited connectivity. */
  notAvailableLimitedConnectivity: 51,
  /** The port is not requested for this node, or not usable as the controller wrote it. */
  portNotRequested: 100,
  /** A program or the local switch refused what was asked of it. */
  plumbingFailed: 101,
  /** The switch or ovn-controller did not take the port in time. */
  portNotInstalled: 102,
  /** CHECK found that the attachment is not as ADD left it. */
  notAsAdded: 103,
} as const;

export type CniErrorCode = (typeof cniErrorCodes)[keyof typeof cniErrorCodes];

/** A refusal that the container runtime and the user of `kubectl describe pod` get to read: `message` is their sentence. */
export class CniError extends Error {
  override readonly name = 'CniError';
  readonly code: CniErrorCode;
  readonly details: string | undefined;

  constructor(code: CniErrorCode, message: string, options?: ErrorOptions & { readonly details?: string }) {
    super(message, options);
    this.code = code;
    this.details = options?.details;
  }
}

/** What a plugin prints when it fails. */
export interface CniErrorAnswer {
  readonly cniVersion: string;
  readonly code: number;
  readonly msg: string;
  readonly details?: string;
}

export function errorAnswer(error: CniError, cniVersion: string): CniErrorAnswer {
  return { cniVersion, code: error.code, msg: error.message, ...(error.details && { details: error.details }) };
}
