/** Keeps the static firewall whole; while that cannot be done, all vifs are closed. */
import type { Logger } from 'pino';
import type { Network } from '../kernel/network.ts';
import { isVifName } from '../state/kernel-state.ts';
import type { RepairBackoff } from './repair-backoff.ts';
import { openWorker } from './worker.ts';

type Parts = {
  readonly network: Network;
  readonly repairBackoff: RepairBackoff;
  readonly log: Logger;
  /** Addresses whose flows may have begun while nothing was judged. */
  readonly addresses: () => readonly string[];
  /** It was loaded again: whatever was in its sets may be gone. */
  readonly repaired: () => void;
  readonly requeue: () => void;
};

export type StaticRulesetGuard = {
  /** Looks whether it is whole: at once, whatever else goes on. */
  readonly suspect: () => void;
  /** A link changed: while all must be closed, that it is. */
  readonly linksChanged: () => void;
  /** False while all vifs must stay closed. */
  readonly isStanding: () => boolean;
  readonly isPanic: () => boolean;
  readonly problemText: () => string | undefined;
  readonly settled: () => Promise<void>;
};

const retryMs = 1_000;
const subject = 'firewall';

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : `${error}`);

export const openStaticRulesetGuard = (parts: Parts): StaticRulesetGuard => {
  const { network, repairBackoff, log, addresses, repaired, requeue } = parts;
  const { staticRuleset, panic } = network;
  let isSuspect = false;
  let isPanic = false;
  let areFlowsSuspect = false;
  /** Why everything is closed. */
  let closedFor: string | undefined;
  let retryTimer: NodeJS.Timeout | undefined;

  const close = async (reason: string, retryInMs: number): Promise<void> => {
    if (closedFor !== reason)
      log.error({ code: 'FIREWALL_LOST' }, `${reason}: all vifs are closed`);
    closedFor = reason;
    clearTimeout(retryTimer);
    retryTimer = setTimeout(suspect, retryInMs).unref();
    // Each time: whoever undoes the one may do the other.
    const links = [...network.linkNames()].filter(isVifName);
    await network.ipBatches.run(links.map((link) => `link set dev ${link} down`));
  };

  const repair = async (): Promise<void> => {
    const startedAt = performance.now();
    await staticRuleset.load();
    repairBackoff.record(subject, 'the tables of vifwatch');
    areFlowsSuspect = true;
    const tookMs = Math.round(performance.now() - startedAt);
    log.error(
      { code: 'FIREWALL_LOST', tookMs },
      'our rules were gone or changed, and have been loaded again',
    );
  };

  /** What began while nothing was judged must not go on as if it had been allowed. */
  const cutSuspects = async (): Promise<void> => {
    await network.cutFlows(addresses());
    areFlowsSuspect = false;
    repaired();
  };

  const isWhole = async (): Promise<boolean> => {
    try {
      return await staticRuleset.isWhole();
    } catch (error) {
      // What cannot be seen may be gone.
      log.error({ code: 'COMMAND_FAILED' }, messageOf(error));
      return false;
    }
  };

  const seePanic = async (): Promise<boolean> => {
    try {
      return await panic.isPanic();
    } catch (error) {
      log.error({ code: 'COMMAND_FAILED' }, messageOf(error));
      return isPanic;
    }
  };

  /** "resume" takes away its own tables and no others. */
  const restorePanic = async (): Promise<void> => {
    await panic.panic();
    log.warn('panic was flushed together with our rules, and is in force again');
  };

  const look = async (): Promise<void> => {
    isSuspect = false;
    const wasPanic = isPanic;
    const [whole, inPanic] = await Promise.all([isWhole(), seePanic()]);
    const isPanicLost = wasPanic && !inPanic && !whole;
    isPanic = inPanic || isPanicLost;
    if (wasPanic !== isPanic) log.warn({ panic: isPanic }, isPanic ? 'panic' : 'resumed');
    try {
      const waitMs = repairBackoff.waitMs(subject);
      if (!whole && waitMs > 0) {
        if (isPanicLost) await restorePanic();
        await close('our rules are undone again and again', waitMs);
        return;
      }
      if (!whole) await repair();
      if (isPanicLost) await restorePanic();
      if (areFlowsSuspect) await cutSuspects();
      closedFor = undefined;
    } catch (error) {
      await close(messageOf(error), retryMs);
    }
  };

  const worker = openWorker((error) => {
    if (error !== undefined) {
      log.fatal({ code: 'FIREWALL_LOST' }, `vifs could not be closed: ${messageOf(error)}`);
      closedFor = messageOf(error);
      clearTimeout(retryTimer);
      retryTimer = setTimeout(suspect, retryMs).unref();
    }
    if (isSuspect) worker.start([], look);
    requeue();
  });

  const suspect = (): void => {
    isSuspect = true;
    if (worker.isIdle()) worker.start([], look);
  };

  return {
    suspect,
    linksChanged: () => {
      if (closedFor !== undefined) suspect();
    },
    isStanding: () => closedFor === undefined,
    isPanic: () => isPanic,
    problemText: () =>
      closedFor === undefined
        ? repairBackoff.problemOf(subject)?.text
        : `${closedFor}: all vifs are closed`,
    settled: worker.settled,
  };
};
