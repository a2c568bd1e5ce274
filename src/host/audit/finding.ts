/** The findings of an audit of one VM. */

export const auditCodes = [
  'VIF_BACKEND_DOM0',
  'VIF_FRONTEND_DOM0',
  'DAEMON_ABSENT',
  'VCHAN_DOM0',
  'RENDEZVOUS_PERMISSIONS',
  'MAP_WRONG',
  'MAP_AMBIGUOUS',
  'MAP_WRITABLE',
  'POLICY_INVALID',
  'POLICY_DIFFERS',
  'POLICY_UNPINNED',
  'AGENT_ABSENT',
  'LINK_DOWN',
  'LINK_DOM0',
] as const;

type AuditCode = (typeof auditCodes)[number];

/** One problem that the audit found. Each text is one line without control characters. */
export type AuditFinding = {
  readonly code: AuditCode;
  /** The problem itself. */
  readonly what: string;
  /** The next step for the operator. */
  readonly do: string;
};
