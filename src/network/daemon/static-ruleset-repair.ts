/** Loads the static ruleset again, and cuts flows that may have begun while no rule checked them. */

import type { Logger } from 'pino';
import { systemClock } from '../../system/clock.ts';
import type { Network } from '../kernel/network.ts';
import type { RepairBackoff } from './repair-backoff.ts';

export type StaticRulesetRepairPorts = {
  readonly network: Pick<Network, 'staticRuleset' | 'cutFlows'>;
  readonly repairBackoff: RepairBackoff;
  readonly log: Logger;
  /** The addresses whose flows are cut after a repair: some may have begun while no rule checked them. */
  readonly addresses: () => readonly string[];
  /** Called after the ruleset was loaded again and the flows were cut: its sets may have lost elements. */
  readonly repaired: () => void;
};

type StaticRulesetRepair = {
  /** The ms until the ruleset may be loaded again; 0 if it may be loaded now. */
  readonly waitMs: () => number;
  /** @throws CommandError */
  readonly load: () => Promise<void>;
  /**
   * Cuts flows that may have begun before a repair: they must not go on as if they were allowed.
   * @throws CommandError; the cut then stays due
   */
  readonly cutSuspects: () => Promise<void>;
  /** The problem with the ruleset, if another program likely undoes each repair. */
  readonly problemText: () => string | undefined;
};

const subject = 'firewall';

export const openStaticRulesetRepair = (ports: StaticRulesetRepairPorts): StaticRulesetRepair => {
  const { network, repairBackoff, log, addresses, repaired } = ports;
  let areFlowsSuspect = false;
  return {
    waitMs: () => repairBackoff.waitMs(subject),
    load: async () => {
      const startedAt = systemClock.now();
      await network.staticRuleset.load();
      repairBackoff.record(subject, 'the tables of vifwatch');
      areFlowsSuspect = true;
      const tookMs = Math.round(systemClock.now() - startedAt);
      log.error(
        { code: 'FIREWALL_LOST', tookMs },
        'the static ruleset was missing or changed (likely another program); loaded it again',
      );
    },
    cutSuspects: async () => {
      if (!areFlowsSuspect) return;
      await network.cutFlows(addresses());
      areFlowsSuspect = false;
      repaired();
    },
    problemText: () => repairBackoff.problemOf(subject)?.text,
  };
};
