/** What somebody else damaged: noted and logged as it is repaired, and left for a while if it is fought over. */

import type { Logger } from 'pino';
import { isProblem } from '../../errors.ts';
import type { BringUp } from '../plan/desired.ts';
import { missingStateOf } from '../plan/missing-state.ts';
import {
  type Element,
  elementLink,
  keyOfElement,
  keyOfNeighbour,
  keyOfRoute,
  type Neighbour,
  type Route,
} from '../state/kernel-state.ts';
import type { BackendVif } from '../vif/backend-vif.ts';
import { isConnected } from '../vif/decide-vifs.ts';
import type { ObservedState } from './observed-state.ts';
import type { RepairBackoff } from './repair-backoff.ts';

type Parts = {
  readonly observed: ObservedState;
  readonly repairBackoff: RepairBackoff;
  readonly log: Logger;
  readonly requeueAfter: (delayMs: number) => void;
};

type VifBringUp = BringUp & { readonly vif: BackendVif };

type Excess = {
  readonly routes?: readonly Route[];
  readonly neighbours?: readonly Neighbour[];
  readonly elements?: readonly Element[];
};

export type Repair = {
  /** Whether the vif may be brought up; one that is not connected yet is not repaired but served. */
  readonly isAllowed: (bringUp: VifBringUp) => boolean;
  /** Records those of the vifs that are connected already and lack something. */
  readonly record: (bringUps: readonly VifBringUp[]) => void;
  /** What somebody does to no vif in particular, again and again. */
  readonly problemText: () => string | undefined;
  /** Those of the missing gateway addresses that may be added now: all or none. */
  readonly gatewaysToAdd: (missing: readonly string[]) => readonly string[];
  /**
   * Logs what a connected vif has and should not have. It is taken away however often it comes, since to
   * leave it would open something; and not counted, since what is left of a predecessor looks the same.
   */
  readonly logExcess: (excess: Excess) => void;
};

/** Besides vifs. */
const gatewaySubject = 'gateway addresses';

const excessOf = ({ routes = [], neighbours = [], elements = [] }: Excess) => [
  ...routes.map((route) => ({ link: route.link, what: `route ${keyOfRoute(route)}` })),
  ...neighbours.map((neighbour) => ({
    link: neighbour.link,
    what: `neighbour ${keyOfNeighbour(neighbour)}`,
  })),
  ...elements.map((element) => ({
    link: elementLink(element),
    what: `element ${keyOfElement(element)}`,
  })),
];

export const openRepair = ({ observed, repairBackoff, log, requeueAfter }: Parts): Repair => {
  const isDue = (subject: string): boolean => {
    const waitMs = repairBackoff.waitMs(subject);
    if (waitMs > 0) requeueAfter(waitMs);
    return waitMs === 0;
  };

  const missingOf = (bringUp: VifBringUp): readonly string[] =>
    isConnected(bringUp.vif) ? missingStateOf(bringUp, observed.kernel()) : [];

  return {
    isAllowed: (bringUp) => missingOf(bringUp).length === 0 || isDue(bringUp.vif.key),
    record: (bringUps) => {
      for (const bringUp of bringUps) {
        const { key } = bringUp.vif;
        const missing = missingOf(bringUp);
        if (missing.length === 0) continue;
        repairBackoff.record(key, missing.join(', '));
        log.warn(
          { vif: key, damage: missing },
          `vif ${key} is not as it should be, and is repaired`,
        );
      }
    },
    problemText: () => repairBackoff.problemOf(gatewaySubject)?.text,
    gatewaysToAdd: (missing) => {
      if (missing.length === 0 || !isDue(gatewaySubject)) return [];
      repairBackoff.record(gatewaySubject, missing.join(', '));
      log.info({ gateways: missing }, 'gateway addresses are added to lo');
      return missing;
    },
    logExcess: (excess) => {
      const all = excessOf(excess);
      if (all.length === 0) return;
      for (const { key, facts, hotplugStatus } of observed.vifs().values()) {
        if (hotplugStatus !== 'connected' || isProblem(facts)) continue;
        const own = all.filter(({ link }) => link === facts.link).map(({ what }) => what);
        if (own.length > 0)
          log.warn({ vif: key, excess: own }, `vif ${key} has too much: taken away`);
      }
    },
  };
};
