/** The state in which all vifs must stay closed, since the static ruleset does not stand. */

import type { Logger } from 'pino';
import { messageOf } from '../../errors.ts';
import { systemClock, type Timer } from '../../system/clock.ts';
import type { Network } from '../kernel/network.ts';
import { isVifName } from '../state/kernel-state.ts';
import { downLine } from '../text/ip-batch.ts';

type Lockdown = {
  /** Why all vifs must stay closed; undefined while they may open. */
  readonly reason: () => string | undefined;
  /**
   * Sets all vifs down, and checks the ruleset again after `retryInMs`.
   * @throws CommandError if ip does not work
   */
  readonly close: (reason: string, retryInMs: number) => Promise<void>;
  /** Records that the vifs could not be set down, and checks the ruleset again after `retryInMs`. */
  readonly fail: (error: unknown, retryInMs: number) => void;
  /** Lets vifs open again. */
  readonly lift: () => void;
};

type Ports = {
  readonly network: Pick<Network, 'linkNames' | 'ipBatches'>;
  readonly log: Logger;
  /** Checks the ruleset. */
  readonly check: () => void;
};

export const openLockdown = ({ network, log, check }: Ports): Lockdown => {
  let reason: string | undefined;
  let retryTimer: Timer | undefined;
  const closeFor = (text: string, retryInMs: number): void => {
    reason = text;
    retryTimer?.cancel();
    retryTimer = systemClock.after(retryInMs, check).unref();
  };
  return {
    reason: () => reason,
    close: async (text, retryInMs) => {
      if (reason !== text) log.error({ code: 'FIREWALL_LOST' }, `${text}: closing all vifs`);
      closeFor(text, retryInMs);
      // At each retry, since a program that undoes the rules may also set links up.
      const links = [...network.linkNames()].filter(isVifName);
      await network.ipBatches.run(links.map(downLine));
    },
    fail: (error, retryInMs) => {
      const text = messageOf(error);
      log.fatal({ code: 'FIREWALL_LOST' }, `cannot close all vifs: ${text}; retrying`);
      closeFor(text, retryInMs);
    },
    lift: () => {
      reason = undefined;
    },
  };
};
