/** What somebody else damaged: noted and logged as it is repaired, and left for a while if it is fought over. */

import type { Logger } from 'pino';
import { isProblem } from '../../errors.ts';
import { damageOf } from '../plan/damage.ts';
import type { BringUp } from '../plan/desired.ts';
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
import { isConnected } from '../vif/decide.ts';
import type { Drift } from './drift.ts';
import type { World } from './world.ts';

type Parts = {
  readonly world: World;
  readonly drift: Drift;
  readonly log: Logger;
  readonly wake: (afterMs: number) => void;
};

type VifBringUp = BringUp & { readonly vif: BackendVif };

type Excess = {
  readonly routes?: readonly Route[];
  readonly neighbours?: readonly Neighbour[];
  readonly elements?: readonly Element[];
};

export type Mending = {
  /** Whether the vif may be brought up; one that is not connected yet is not mended but served. */
  readonly may: (bringUp: VifBringUp) => boolean;
  /** Notes those of the vifs that are connected already and damaged. */
  readonly note: (bringUps: readonly VifBringUp[]) => void;
  /** What somebody does to no vif in particular, again and again. */
  readonly trouble: () => string | undefined;
  /** Those of the missing gateway addresses that may be added now: all or none. */
  readonly gateways: (missing: readonly string[]) => readonly string[];
  /**
   * Logs what a connected vif has and should not have. It is taken away however often it comes, since to
   * leave it would open something; and not counted, since what is left of a predecessor looks the same.
   */
  readonly logExcess: (excess: Excess) => void;
};

/** Besides vifs. */
const gatewayThing = 'gateway addresses';

const excessOf = ({ routes = [], neighbours = [], elements = [] }: Excess) => [
  ...routes.map((one) => ({ link: one.link, what: `route ${keyOfRoute(one)}` })),
  ...neighbours.map((one) => ({ link: one.link, what: `neighbour ${keyOfNeighbour(one)}` })),
  ...elements.map((one) => ({ link: elementLink(one), what: `element ${keyOfElement(one)}` })),
];

export const openMending = ({ world, drift, log, wake }: Parts): Mending => {
  const mayNow = (thing: string): boolean => {
    const restMs = drift.restMs(thing);
    if (restMs > 0) wake(restMs);
    return restMs === 0;
  };

  const damageTo = (one: VifBringUp): readonly string[] =>
    isConnected(one.vif) ? damageOf(one, world.kernel()) : [];

  return {
    may: (one) => damageTo(one).length === 0 || mayNow(one.vif.key),
    note: (bringUps) => {
      for (const one of bringUps) {
        const { key } = one.vif;
        const damage = damageTo(one);
        if (damage.length === 0) continue;
        drift.note(key, damage.join(', '));
        log.warn({ vif: key, damage }, `vif ${key} is not as it should be, and is repaired`);
      }
    },
    trouble: () => drift.problemOf(gatewayThing)?.text,
    gateways: (missing) => {
      if (missing.length === 0 || !mayNow(gatewayThing)) return [];
      drift.note(gatewayThing, missing.join(', '));
      log.info({ gateways: missing }, 'gateway addresses are added to lo');
      return missing;
    },
    logExcess: (excess) => {
      const all = excessOf(excess);
      if (all.length === 0) return;
      for (const { key, facts, hotplugStatus } of world.vifs().values()) {
        if (hotplugStatus !== 'connected' || isProblem(facts)) continue;
        const own = all.filter(({ link }) => link === facts.link).map(({ what }) => what);
        if (own.length > 0)
          log.warn({ vif: key, excess: own }, `vif ${key} has too much: taken away`);
      }
    },
  };
};
