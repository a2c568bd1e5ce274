/** The vifs' present problems that their decisions do not contain. */

import type { Problem } from '../../errors.ts';
import { hotplugErrorText, type VifProblem } from '../plan/plan.ts';
import { shadowProblem } from '../plan/shadowing-routes.ts';
import type { KernelLink } from '../state/kernel-state.ts';
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
   * A vif's present problem. Includes uncut flows, damage, and settings and routes that vifwatch did not make. Only status
   * shows these problems: in xenstore the vif stays "connected".
   */
  readonly problemOf: (decision: Decision) => Problem | undefined;
  /** Failures that xenstore does not show yet. */
  readonly unmarked: (decisions: readonly Decision[]) => readonly VifProblem[];
};

const foreignProblem = (link: KernelLink | undefined): Problem | undefined =>
  link?.foreign === undefined
    ? undefined
    : {
        code: 'FOREIGN_SETTING',
        text: `${link.name} has something that vifwatch did not make: ${link.foreign}`,
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
    const { shadowingRoutes, links } = observed.kernel();
    return (
      shadowProblem(decision.served, shadowingRoutes) ??
      foreignProblem(links.get(decision.served.link))
    );
  },
  unmarked: (decisions) =>
    decisions.flatMap((decision): VifProblem[] => {
      const problem = linkTimeout.problemOf(decision);
      const { key, hotplugError } = decision.vif;
      const isNew = problem !== undefined && hotplugError !== hotplugErrorText(problem);
      return isNew ? [{ key, problem }] : [];
    }),
});
