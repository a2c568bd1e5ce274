/** The vifs' present problems that their decisions do not contain. */

import type { Problem } from '../../errors.ts';
import { hotplugErrorText, type VifProblem } from '../plan/plan.ts';
import { shadowProblem } from '../plan/shadowing-routes.ts';
import type { Decision } from '../vif/decide-vifs.ts';
import type { FlowCuts } from './flow-cuts.ts';
import type { LinkTimeout } from './link-timeout.ts';
import type { ObservedState } from './observed-state.ts';
import type { RepairBackoff } from './repair-backoff.ts';
import type { Removals } from './take-down-worker.ts';

type Ports = {
  readonly linkTimeout: Pick<LinkTimeout, 'problemOf'>;
  readonly removals: Pick<Removals, 'failureOf'>;
  readonly flowCuts: Pick<FlowCuts, 'problemOf'>;
  readonly repairBackoff: Pick<RepairBackoff, 'problemOf'>;
  readonly observed: Pick<ObservedState, 'kernel'>;
};

type VifProblems = {
  /**
   * A vif's present problem. Includes uncut flows, and damage and foreign routes by other programs. Only status
   * shows these problems: in xenstore the vif stays "connected".
   */
  readonly problemOf: (decision: Decision) => Problem | undefined;
  /** Failures that xenstore does not show yet. */
  readonly unmarked: (decisions: readonly Decision[]) => readonly VifProblem[];
};

export const openVifProblems = ({
  linkTimeout,
  removals,
  flowCuts,
  repairBackoff,
  observed,
}: Ports): VifProblems => ({
  problemOf: (decision) => {
    const { key } = decision.vif;
    const problem =
      linkTimeout.problemOf(decision) ??
      removals.failureOf(key) ??
      flowCuts.problemOf(key) ??
      repairBackoff.problemOf(key);
    if (problem !== undefined || decision.kind !== 'served') return problem;
    return shadowProblem(decision.served, observed.kernel().shadowingRoutes);
  },
  unmarked: (decisions) =>
    decisions.flatMap((decision): VifProblem[] => {
      const problem = linkTimeout.problemOf(decision);
      const { key, hotplugError } = decision.vif;
      const isNew = problem !== undefined && hotplugError !== hotplugErrorText(problem);
      return isNew ? [{ key, problem }] : [];
    }),
});
