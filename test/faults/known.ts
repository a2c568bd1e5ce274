/**
 * The known faults of the product: each id with the behaviour that would be right. Each has tests, which are
 * expected to fail.
 */

export const known = {
  f10: 'A service that stops its own processes does not stop the agent.',
  descriptors: 'A service has the limits with which the agent was started.',
} as const;

/** The id of a known fault. */
export type FaultId = keyof typeof known;

/** The name of a test of a fault: `name` states the right outcome. */
export const fault = (id: FaultId, name: string): string => `${id}: ${name}`;
