/** Keeps the static ruleset whole. While it cannot, it closes all vifs. */
import { messageOf } from '../../errors.ts';
import type { Network } from '../kernel/network.ts';
import { openLockdown } from './lockdown.ts';
import { openPanicMode } from './panic-mode.ts';
import { openStaticRulesetRepair, type StaticRulesetRepairPorts } from './static-ruleset-repair.ts';
import { openWorker } from './worker.ts';

type Parts = StaticRulesetRepairPorts & {
  readonly network: Network;
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

export const openStaticRulesetGuard = (parts: Parts): StaticRulesetGuard => {
  const { network, log, requeue } = parts;
  const panicMode = openPanicMode(network.panic, log);
  const lockdown = openLockdown({ network, log, check: () => suspect() });
  const repair = openStaticRulesetRepair(parts);
  let isSuspect = false;

  const isWhole = async (): Promise<boolean> => {
    try {
      return await network.staticRuleset.isWhole();
    } catch (error) {
      // A ruleset that cannot be listed may be missing.
      log.error({ code: 'COMMAND_FAILED' }, messageOf(error));
      return false;
    }
  };

  const look = async (): Promise<void> => {
    isSuspect = false;
    const [whole, inPanic] = await Promise.all([isWhole(), panicMode.observe()]);
    const isPanicLost = panicMode.record(inPanic, whole);
    try {
      const waitMs = whole ? 0 : repair.waitMs();
      if (!whole && waitMs === 0) await repair.load();
      if (isPanicLost) await panicMode.restore();
      if (waitMs > 0) {
        await lockdown.close(
          'another program likely undoes each repair of the static ruleset',
          waitMs,
        );
        return;
      }
      await repair.cutSuspects();
      lockdown.lift();
    } catch (error) {
      await lockdown.close(messageOf(error), retryMs);
    }
  };

  const worker = openWorker((error) => {
    if (error !== undefined) lockdown.fail(error, retryMs);
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
      if (lockdown.reason() !== undefined) suspect();
    },
    isStanding: () => lockdown.reason() === undefined,
    isPanic: panicMode.isOn,
    problemText: () => {
      const reason = lockdown.reason();
      return reason === undefined ? repair.problemText() : `${reason}: closing all vifs`;
    },
    settled: worker.settled,
  };
};
