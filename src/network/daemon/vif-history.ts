/** The history of each vif, for `status`. A log line is written only when something changed. */
import type { Logger } from 'pino';
import type { Problem } from '../../errors.ts';
import { claimCondition, type Phase, type VifHistoryEntry, vifStatus } from '../status/status.ts';
import type { VifKey, VmNames } from '../vif/backend-vif.ts';
import type { Decision } from '../vif/decide-vifs.ts';

type Entry = {
  readonly phase: Phase;
  readonly since: Date;
  readonly errorText: string | undefined;
  readonly claim: string | undefined;
  readonly claims: number;
};

export type VifHistory = {
  readonly record: (
    decisions: readonly Decision[],
    problemOf: (decision: Decision) => Problem | undefined,
    names: VmNames,
  ) => void;
  readonly entryOf: (decision: Decision, problem: Problem | undefined) => VifHistoryEntry;
};

export const openVifHistory = (log: Logger): VifHistory => {
  const entries = new Map<VifKey, Entry>();

  const recordVif = (
    decision: Decision,
    problem: Problem | undefined,
    name: string | undefined,
  ): void => {
    const { key, claim } = decision.vif;
    const before = entries.get(key);
    const status = vifStatus(decision, { problem, since: null, claims: 0 }, name);
    const { phase, error, link, mac, addresses } = status;
    const errorText = error === null ? undefined : `${error.code}: ${error.text}`;
    const isNewClaim = claim !== undefined && claim !== before?.claim;
    const claims = (before?.claims ?? 0) + (isNewClaim ? 1 : 0);
    const since = before?.phase === phase ? before.since : new Date();
    entries.set(key, { phase, since, errorText, claim, claims });
    if (isNewClaim)
      log.warn(
        { vif: key, name, claim },
        `vif ${key}: the guest claims other addresses than dom0 gave it; ${claimCondition}`,
      );
    if (errorText !== undefined && errorText !== before?.errorText) {
      log.error({ vif: key, name, code: error?.code }, errorText);
    } else if (before?.phase !== phase) {
      log.info({ vif: key, name, link, mac, addresses, phase }, `vif ${key}: phase ${phase}`);
    }
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
    },
    entryOf: ({ vif: { key } }, problem) => {
      const entry = entries.get(key);
      return { problem, since: entry?.since.toISOString() ?? null, claims: entry?.claims ?? 0 };
    },
  };
};
