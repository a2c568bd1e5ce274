/** The worker that cuts flows that the configuration in force forbids. It changes no rule and no link. */

import type { FlowCuts } from './flow-cuts.ts';
import { openWorker, type PlanWorker, type WorkEnd } from './worker.ts';

type Ports = {
  readonly flowCuts: FlowCuts;
  readonly ended: WorkEnd;
  /** Asks for another pass after some milliseconds. */
  readonly requeueAfter: (delayMs: number) => void;
};

/** The number of vifs that are cut alone at the same time: each needs a process. */
const mostAlone = 4;

/** Its first worker cuts for all vifs together, the others cut for one vif each. */
export const openFlowCutWorker = ({ flowCuts, ended, requeueAfter }: Ports): PlanWorker => {
  const together = openWorker(ended);
  const alone = Array.from({ length: mostAlone }, () => openWorker(ended));
  return {
    workers: [together, ...alone],
    start: ({ served }) => {
      const due = flowCuts.due(served);
      if (due.retryInMs !== undefined) requeueAfter(due.retryInMs);
      if (due.together.length > 0 && together.isIdle())
        together.start([], () => flowCuts.cutTogether(due.together, served));
      const idle = alone.filter((worker) => worker.isIdle());
      for (const [index, vif] of due.alone.slice(0, idle.length).entries())
        idle[index]?.start([], () => flowCuts.cutAlone(vif, served));
    },
  };
};
