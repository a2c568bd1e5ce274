/** How long a vif may wait for its link, and when one that failed is tried again. */

import type { Problem } from '../../errors.ts';
import type { VifKey } from '../vif/backend-vif.ts';
import type { Decision } from '../vif/decide-vifs.ts';

/** libxl gives a hotplug script's device as long (LIBXL_INIT_TIMEOUT). */
const linkTimeoutMs = 10_000;
/** While a vif waits for something in the kernel: netlink may lose a message under load, and says so to nobody. */
const secondLookMs = 1_000;
const firstRetryMs = 100;
const lastRetryMs = 30_000;

type Failure = { readonly problem: Problem; readonly attempts: number; readonly retryAt: number };

export type LinkTimeout = {
  readonly failed: (key: VifKey, problem: Problem) => void;
  readonly succeeded: (key: VifKey) => void;
  /** The present trouble of a vif that is not refused: its last failure, or a link that does not come. */
  readonly problemOf: (decision: Decision) => Problem | undefined;
  readonly mayTry: (key: VifKey) => boolean;
  /** Forgets vifs that are gone, notes which wait; returns the ms until something is due, if anything is. */
  readonly review: (decisions: readonly Decision[]) => number | undefined;
};

const linkMissing = ({ vif }: Decision): Problem => ({
  code: 'LINK_MISSING',
  text: `no link vif${vif.domid}.${vif.devid} within ${linkTimeoutMs / 1000} s of state 2`,
});

const isTried = (decision: Decision): boolean =>
  decision.kind === 'served' || (decision.kind === 'waiting' && decision.prospect !== undefined);

/** @param now milliseconds on any clock that only goes forward */
export const openLinkTimeout = (now: () => number): LinkTimeout => {
  const failures = new Map<VifKey, Failure>();
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
    for (const key of failures.keys()) if (!tried.has(key)) failures.delete(key);
    for (const key of waitingSince.keys()) if (!waiting.has(key)) waitingSince.delete(key);
    for (const key of waiting) if (!waitingSince.has(key)) waitingSince.set(key, now());
  };

  return {
    failed: (key, problem) => {
      const attempts = (failures.get(key)?.attempts ?? 0) + 1;
      const delay = Math.min(firstRetryMs * 2 ** (attempts - 1), lastRetryMs);
      failures.set(key, { problem, attempts, retryAt: now() + delay });
    },
    succeeded: (key) => failures.delete(key),
    problemOf: (decision) => {
      const { key } = decision.vif;
      if (decision.kind === 'waiting' && isOverdue(key)) return linkMissing(decision);
      return failures.get(key)?.problem;
    },
    mayTry: (key) => (failures.get(key)?.retryAt ?? 0) <= now(),
    review: (decisions) => {
      forget(decisions);
      const isPending = decisions.some(
        (decision) =>
          decision.kind === 'waiting' &&
          (decision.for === 'address' || (decision.for === 'link' && !isOverdue(decision.vif.key))),
      );
      const due = [
        ...(isPending ? [now() + secondLookMs] : []),
        ...[...waitingSince.values()].map((since) => since + linkTimeoutMs),
        ...[...failures.values()].map(({ retryAt }) => retryAt),
      ].filter((at) => at > now());
      return due.length === 0 ? undefined : Math.min(...due) - now();
    },
  };
};
