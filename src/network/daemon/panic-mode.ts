/** Whether panic mode is in force. It is restored if it is lost together with static rules. */

import type { Logger } from 'pino';
import { messageOf } from '../../errors.ts';
import type { Network } from '../kernel/network.ts';

type PanicMode = {
  /** Whether panic mode is in force, as far as the daemon knows. */
  readonly isOn: () => boolean;
  /** Asks the kernel; if that fails, answers as before. */
  readonly observe: () => Promise<boolean>;
  /**
   * Records an observation, and logs a change.
   * @returns whether panic mode must be restored. `vifwatch resume` removes only the panic tables, so it did
   * not cause a loss that includes other tables.
   */
  readonly record: (isObserved: boolean, isRulesetWhole: boolean) => boolean;
  /** @throws CommandError */
  readonly restore: () => Promise<void>;
};

export const openPanicMode = (panic: Network['panic'], log: Logger): PanicMode => {
  let isOn = false;
  return {
    isOn: () => isOn,
    observe: async () => {
      try {
        return await panic.isPanic();
      } catch (error) {
        log.error({ code: 'COMMAND_FAILED' }, messageOf(error));
        return isOn;
      }
    },
    record: (isObserved, isRulesetWhole) => {
      const wasOn = isOn;
      const isLost = wasOn && !isObserved && !isRulesetWhole;
      isOn = isObserved || isLost;
      if (wasOn !== isOn)
        log.warn(
          { panic: isOn },
          isOn ? 'panic mode is on: all vifs are cut off' : 'panic mode is off',
        );
      return isLost;
    },
    restore: async () => {
      await panic.panic();
      log.warn(
        'panic mode was lost together with static rules (likely "nft flush ruleset"); it is in force again',
      );
    },
  };
};
