/** The time that a vif may wait for its link, and the times at which a failed vif is tried again. */

import { defaultLinkOf } from '../../address/link-name.ts';
import type { Problem } from '../../errors.ts';
import type { VifKey } from '../vif/backend-vif.ts';
import type { Decision } from '../vif/decide-vifs.ts';
import { openFailedAttempts } from './failed-attempts.ts';

/** libxl waits equally long for a hotplug script's device (LIBXL_INIT_TIMEOUT). */
const linkTimeoutMs = 10_000;
/**
 * While a vif waits for a change in the kernel, a pass follows after this time: under load netlink may lose a
 * message without reporting the loss.
 */
const secondLookMs = 1_000;

export type LinkTimeout = {
  /** Records a failed attempt to bring up the vif. The wait before the next attempt doubles, up to 30 s. */
  readonly failed: (key: VifKey, problem: Problem) => void;
  readonly succeeded: (key: VifKey) => void;
  /** The present problem of a vif that is not refused: an overdue link, or its last failure. */
  readonly problemOf: (decision: Decision) => Problem | undefined;
  /** Whether the last attempt failed: the next one may fail or hang too. */
  readonly hasFailed: (key: VifKey) => boolean;
  /** False while a failed vif waits for its next attempt. */
  readonly mayTry: (key: VifKey) => boolean;
  /**
   * Forgets vifs that are gone and records which vifs wait for their link. Returns the ms until the next pass
   * is due; undefined if none is.
   */
  readonly review: (decisions: readonly Decision[]) => number | undefined;
};

const linkMissing = ({ vif }: Decision): Problem => ({
  code: 'LINK_MISSING',
  text: `link ${defaultLinkOf(vif)} has been missing for ${linkTimeoutMs / 1000} s; likely netback failed`,
});

const isTried = (decision: Decision): boolean =>
  decision.kind === 'served' || (decision.kind === 'waiting' && decision.prospect !== undefined);

/** @param now milliseconds of a monotonic clock */
export const openLinkTimeout = (now: () => number): LinkTimeout => {
  const failures = openFailedAttempts<VifKey, Problem>(now);
  const waitingSince = new Map<VifKey, number>();

  const isOverdue = (key: VifKey): boolean => {
    const since = waitingSince.get(key);
    return since !== undefined && now() - since >= linkTimeoutMs;
  };

  const forget = (decisions: readonly Decision[]): void => {
    const tried = new Set(decisions.filter(isTried).map(({ vif }) => vif.key));
    const waiting = new Set(
      decisions.filter((d) => d.kind === 'waiting' && d.for === 'link').map(({ vif }) => vif.key),
    );
    failures.keepOnly(tried);
    for (const key of waitingSince.keys()) if (!waiting.has(key)) waitingSince.delete(key);
    for (const key of waiting) if (!waitingSince.has(key)) waitingSince.set(key, now());
  };

  return {
    failed: failures.failed,
    succeeded: failures.succeeded,
    problemOf: (decision) => {
      const { key } = decision.vif;
      if (decision.kind === 'waiting' && isOverdue(key)) return linkMissing(decision);
      return failures.failureOf(key);
    },
    hasFailed: (key) => failures.failureOf(key) !== undefined,
    mayTry: failures.mayTry,
    review: (decisions) => {
      forget(decisions);
      const isPending = decisions.some(
        (decision) =>
          decision.kind === 'waiting' &&
          (decision.for === 'address' || (decision.for === 'link' && !isOverdue(decision.vif.key))),
      );
      const waits = [
        ...(isPending ? [secondLookMs] : []),
        ...[...waitingSince.values()].map((since) => since + linkTimeoutMs - now()),
        failures.dueInMs() ?? 0,
      ].filter((ms) => ms > 0);
      return waits.length === 0 ? undefined : Math.min(...waits);
    },
  };
};
