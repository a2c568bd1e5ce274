/** Records and logs repairs of damage by other programs, and delays repairs that another program undoes. */

import type { Logger } from 'pino';
import { isProblem } from '../../errors.ts';
import type { BringUp } from '../plan/desired.ts';
import { missingStateOf } from '../plan/missing-state.ts';
import { type Element, elementLink, keyOfElement } from '../state/element.ts';
import { keyOfNeighbour, keyOfRoute, type Neighbour, type Route } from '../state/kernel-state.ts';
import type { BackendVif, VifKey } from '../vif/backend-vif.ts';
import { isConnected } from '../vif/decide-vifs.ts';
import type { ServedVif } from '../vif/served-vif.ts';
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
  /**
   * Whether the vif may be brought up now. A repair may have to wait; a vif that is not connected yet never
   * does.
   */
  readonly isAllowed: (bringUp: VifBringUp) => boolean;
  /** Records and logs a repair for each vif that is already connected and lacks something. */
  readonly record: (bringUps: readonly VifBringUp[]) => void;
  /** Records that the daemon keeps these vifs down: to set them up later is no repair. */
  readonly closed: (vifs: readonly ServedVif[]) => void;
  /** Whether forwarding may be switched on now, which is recorded as a repair. */
  readonly maySwitchForwardingOn: (off: readonly string[]) => boolean;
  /** The problem with the gateway addresses or forwarding, if another program likely changes them repeatedly. */
  readonly problemText: () => string | undefined;
  /** The missing gateway addresses if they may be added now, which is recorded as a repair; else none. */
  readonly gatewaysToAdd: (missing: readonly string[]) => readonly string[];
  /**
   * Logs what a connected vif has and should not have. The daemon always removes it without delay, since it
   * would open something if it stayed. It is not recorded as a repair, since leftovers of an earlier vif look
   * the same.
   */
  readonly logExcess: (excess: Excess) => void;
};

/** The subjects of repairs that belong to no vif. */
const gatewaySubject = 'gateway addresses';
const forwardingSubject = 'forwarding';

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

  const closedByUs = new Set<VifKey>();

  const missingOf = (bringUp: VifBringUp): readonly string[] =>
    isConnected(bringUp.vif) && !closedByUs.has(bringUp.vif.key)
      ? missingStateOf(bringUp, observed.kernel())
      : [];

  return {
    isAllowed: (bringUp) => missingOf(bringUp).length === 0 || isDue(bringUp.vif.key),
    record: (bringUps) => {
      for (const bringUp of bringUps) {
        const { key } = bringUp.vif;
        const missing = missingOf(bringUp);
        if (bringUp.open && !bringUp.stayDown) closedByUs.delete(key);
        if (missing.length === 0) continue;
        const damage = missing.join(', ');
        repairBackoff.record(key, damage);
        log.warn(
          { vif: key, damage: missing },
          `vif ${key}: missing or changed (likely another program): ${damage}; restoring`,
        );
      }
    },
    closed: (vifs) => {
      closedByUs.clear();
      for (const { key } of vifs) closedByUs.add(key);
    },
    maySwitchForwardingOn: (off) => {
      if (off.length === 0 || !isDue(forwardingSubject)) return false;
      const damage = `${off.join(', ')} off`;
      repairBackoff.record(forwardingSubject, damage);
      log.warn({ damage: off }, `${damage} (likely another program); restoring`);
      return true;
    },
    problemText: () =>
      [gatewaySubject, forwardingSubject]
        .map((subject) => repairBackoff.problemOf(subject)?.text)
        .find((text) => text !== undefined),
    gatewaysToAdd: (missing) => {
      if (missing.length === 0 || !isDue(gatewaySubject)) return [];
      repairBackoff.record(gatewaySubject, missing.join(', '));
      log.info({ gateways: missing }, 'adding the missing gateway addresses to lo');
      return missing;
    },
    logExcess: (excess) => {
      const all = excessOf(excess);
      if (all.length === 0) return;
      for (const { key, facts, hotplugStatus } of observed.vifs().values()) {
        if (hotplugStatus !== 'connected' || isProblem(facts)) continue;
        const own = all.filter(({ link }) => link === facts.link).map(({ what }) => what);
        if (own.length > 0)
          log.warn(
            { vif: key, excess: own },
            `vif ${key}: unexpected (likely another program or an earlier vif): ${own.join(', ')}; removing`,
          );
      }
    },
  };
};
