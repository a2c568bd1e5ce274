/**
 * The history of each vif, for `status`. A log line is written only when something changed, and a guest that
 * changes something without end causes few lines.
 */
import type { Logger } from 'pino';
import type { Problem } from '../../errors.ts';
import { type LogBudget, openLogBudget } from '../../system/log-budget.ts';
import { claimCondition, type Phase, type VifHistoryEntry, vifStatus } from '../status/status.ts';
import type { VifKey, VmNames } from '../vif/backend-vif.ts';
import type { Decision } from '../vif/decide-vifs.ts';

/** A vif that comes and goes at once causes about five lines. */
const burst = 6;

type Entry = {
  readonly budget: LogBudget;
  /** Whether the line about the present phase or error was suppressed: it follows later. */
  readonly isUnsaid: boolean;
  readonly phase: Phase;
  readonly since: Date;
  readonly errorText: string | undefined;
  readonly claim: string | undefined;
  readonly claims: number;
};

export type VifHistory = {
  /** Returns the ms until a suppressed line may be written; undefined if there is none. */
  readonly record: (
    decisions: readonly Decision[],
    problemOf: (decision: Decision) => Problem | undefined,
    names: VmNames,
  ) => number | undefined;
  readonly entryOf: (decision: Decision, problem: Problem | undefined) => VifHistoryEntry;
};

type Line = (suppressed: number | undefined) => void;

/** Returns whether the line was written. */
const say = (budget: LogBudget, line: Line): boolean => {
  if (!budget.isLeft()) {
    budget.suppress();
    return false;
  }
  line(budget.take());
  return true;
};

/** @param now milliseconds of a monotonic clock */
export const openVifHistory = (log: Logger, now: () => number): VifHistory => {
  const entries = new Map<VifKey, Entry>();

  const recordVif = (
    decision: Decision,
    problem: Problem | undefined,
    name: string | undefined,
  ): void => {
    const { key, claim } = decision.vif;
    const before = entries.get(key);
    const status = vifStatus(decision, { problem, since: null, claims: 0 }, name, null);
    const { phase, error, link, mac, addresses } = status;
    const errorText = error === null ? undefined : `${error.code}: ${error.text}`;
    const isNewClaim = claim !== undefined && claim !== before?.claim;
    const claims = (before?.claims ?? 0) + (isNewClaim ? 1 : 0);
    const since = before?.phase === phase ? before.since : new Date();
    const budget = before?.budget ?? openLogBudget(burst, now);
    if (isNewClaim)
      say(budget, (suppressed) =>
        log.warn(
          { vif: key, name, claim, suppressed },
          `vif ${key}: the guest claims other addresses than dom0 gave it; ${claimCondition}`,
        ),
      );
    const sayState: Line = (suppressed) =>
      errorText === undefined
        ? log.info(
            { vif: key, name, link, mac, addresses, phase, suppressed },
            `vif ${key}: phase ${phase}`,
          )
        : log.error({ vif: key, name, code: error?.code, suppressed }, errorText);
    const isNewError = errorText !== undefined && errorText !== before?.errorText;
    const isDue = isNewError || before?.phase !== phase || before.isUnsaid;
    const isUnsaid = isDue && !say(budget, sayState);
    entries.set(key, { phase, since, errorText, claim, claims, budget, isUnsaid });
  };

  return {
    record: (decisions, problemOf, names) => {
      const present = new Set(decisions.map(({ vif }) => vif.key));
      for (const key of entries.keys()) {
        if (present.has(key)) continue;
        entries.delete(key);
        log.info({ vif: key }, `vif ${key} is gone from xenstore`);
      }
      for (const decision of decisions) {
        recordVif(decision, problemOf(decision), names.get(decision.vif.domid));
      }
      const unsaid = [...entries.values()].filter(({ isUnsaid }) => isUnsaid);
      return unsaid.length === 0
        ? undefined
        : Math.min(...unsaid.map(({ budget }) => budget.dueInMs()));
    },
    entryOf: ({ vif: { key } }, problem) => {
      const entry = entries.get(key);
      return { problem, since: entry?.since.toISOString() ?? null, claims: entry?.claims ?? 0 };
    },
  };
};
