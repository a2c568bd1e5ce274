/**
 * The known faults of the product: each id with the behaviour that would be right. Each has tests, which are
 * expected to fail.
 */

export const known = {
  f10: 'A service that stops its own processes does not stop the agent.',
  'shadowing-routes':
    'The daemon removes foreign routes, addresses and rules about a vif, or reports them.',
  'ipv6-off': 'If IPv6 is switched off, IPv4 works, and the daemon blames no other program.',
  descriptors: 'A service has the limits with which the agent was started.',
} as const;

/** The id of a known fault. */
export type FaultId = keyof typeof known;

/** The name of a test of a fault: `name` states the right outcome. */
export const fault = (id: FaultId, name: string): string => `${id}: ${name}`;
