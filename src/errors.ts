/**
 * The codes of a closed vif and of a process that cannot continue. The codes are stable;
 * vifwatch-errors(7) explains them.
 */

export const vifCodes = [
  'ADDRESS_MISSING',
  'ADDRESS_INVALID',
  'ADDRESS_RESERVED',
  'ADDRESS_UNCONFIRMED',
  'ADDRESS_TAKEN',
  'MAC_INVALID',
  'BACKEND_INVALID',
  'LINK_ATTACHED',
  'LINK_MISSING',
  'LINK_NAME_INVALID',
  'LINK_NAME_TAKEN',
  'FIREWALL_FAILED',
  'FLOW_CUT_FAILED',
  'LINK_FAILED',
  'XENSTORE_FAILED',
  'POLICY_INVALID',
  'POLICY_UNNAMED',
  'DRIFT_FOUGHT',
  'ROUTE_SHADOWED',
  'FOREIGN_SETTING',
] as const;

type VifCode = (typeof vifCodes)[number];

export const processCodes = [
  'CONFIG_INVALID',
  'XENSTORE_UNAVAILABLE',
  'XENSTORE_HUNG',
  'FIREWALL_BASE_FAILED',
  'FORWARDING_FAILED',
  'COMMAND_FAILED',
  'MONITOR_FAILED',
  'ALREADY_RUNNING',
  'RUNTIME_DIR',
  'DAEMON_ABSENT',
] as const;

export type ProcessCode = (typeof processCodes)[number];

/** The reason why one vif stays closed. The operator reads `text`; the guest sees only the code. */
export type Problem = { readonly code: VifCode; readonly text: string };

/** An error that concerns the whole process. */
export class VifwatchError extends Error {
  readonly code: ProcessCode;

  constructor(code: ProcessCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'VifwatchError';
    this.code = code;
  }
}

/** The message of a caught value, which need not be an Error. */
export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** Tells a Problem from a result that has no `code`. */
export const isProblem = (value: object): value is Problem => 'code' in value;
