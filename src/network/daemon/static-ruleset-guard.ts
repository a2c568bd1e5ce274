/** Keeps the static ruleset whole. While it cannot, it closes all vifs. */
import type { Logger } from 'pino';
import type { Network } from '../kernel/network.ts';
import { isVifName } from '../state/kernel-state.ts';
import type { RepairBackoff } from './repair-backoff.ts';
import { openWorker } from './worker.ts';

type Parts = {
  readonly network: Network;
  readonly repairBackoff: RepairBackoff;
  readonly log: Logger;
  /** The addresses whose flows are cut after a repair: some may have begun while no rule checked them. */
  readonly addresses: () => readonly string[];
  /** Called after the ruleset was loaded again: its sets may have lost elements. */
  readonly repaired: () => void;
  readonly requeue: () => void;
};

export type StaticRulesetGuard = {
  /** Checks whether the ruleset is whole: at once, or right after a check that is under way. */
  readonly suspect: () => void;
  /**
   * Called when a link changed. While all vifs must stay closed, it checks again and closes a new link too.
   */
  readonly linksChanged: () => void;
  /** False while all vifs must stay closed. */
  readonly isStanding: () => boolean;
  readonly isPanic: () => boolean;
  /** The daemon's trouble for status; undefined if there is none. */
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
  /** Why all vifs must stay closed; undefined while the ruleset stands. */
  let closedFor: string | undefined;
  let retryTimer: NodeJS.Timeout | undefined;

  const close = async (reason: string, retryInMs: number): Promise<void> => {
    if (closedFor !== reason) log.error({ code: 'FIREWALL_LOST' }, `${reason}: closing all vifs`);
    closedFor = reason;
    clearTimeout(retryTimer);
    retryTimer = setTimeout(suspect, retryInMs).unref();
    // At each retry, since a program that undoes the rules may also set links up.
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
      'the static ruleset was missing or changed (likely another program); loaded it again',
    );
  };

  /**
   * Cuts flows that may have begun while no rule checked them: they must not go on as if they were allowed.
   */
  const cutSuspects = async (): Promise<void> => {
    await network.cutFlows(addresses());
    areFlowsSuspect = false;
    repaired();
  };

  const isWhole = async (): Promise<boolean> => {
    try {
      return await staticRuleset.isWhole();
    } catch (error) {
      // A ruleset that cannot be listed may be missing.
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

  /**
   * `vifwatch resume` removes only the panic tables, so it did not cause a loss that includes other tables.
   */
  const restorePanic = async (): Promise<void> => {
    await panic.panic();
    log.warn(
      'panic mode was lost together with static rules (likely "nft flush ruleset"); it is in force again',
    );
  };

  const look = async (): Promise<void> => {
    isSuspect = false;
    const wasPanic = isPanic;
    const [whole, inPanic] = await Promise.all([isWhole(), seePanic()]);
    const isPanicLost = wasPanic && !inPanic && !whole;
    isPanic = inPanic || isPanicLost;
    if (wasPanic !== isPanic)
      log.warn(
        { panic: isPanic },
        isPanic ? 'panic mode is on: all vifs are cut off' : 'panic mode is off',
      );
    try {
      const waitMs = repairBackoff.waitMs(subject);
      if (!whole && waitMs > 0) {
        if (isPanicLost) await restorePanic();
        await close('another program likely undoes each repair of the static ruleset', waitMs);
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
      log.fatal({ code: 'FIREWALL_LOST' }, `cannot close all vifs: ${messageOf(error)}; retrying`);
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
        : `${closedFor}: closing all vifs`,
    settled: worker.settled,
  };
};
