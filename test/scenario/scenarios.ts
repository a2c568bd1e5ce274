/**
 * All scenarios, for whichever rig. Each starts with the daemon running and no VM, and ends so; each throws an
 * AssertionError if what its name says is not so.
 */
import type { Host } from '../rig/host.ts';
import { guestThatRewritesItsAddressGainsNothing } from './claims.ts';
import { newVmReachesItsNetwork, vmsDoNotReachEachOther } from './connectivity.ts';
import {
  daemonMayDieBetweenAnyTwoSteps,
  trafficOutlivesTheDaemon,
  vmsThatWereThereFirstAreServed,
} from './daemon-absence.ts';
import {
  destroyIsQuickAndLeavesNothing,
  detachedVifComesBack,
  rebootedVmKeepsItsAddress,
} from './lifecycle.ts';
import {
  foreignMacPassesNothing,
  foreignSourceAddressesPassNothing,
  noSpoofedFramePasses,
  witnessSeesWhatPasses,
} from './spoofing.ts';

type Scenarios = Record<string, (host: Host) => Promise<void>>;

/** What depends on what xenstore says, and when. */
export const storeScenarios = {
  newVmReachesItsNetwork,
  guestThatRewritesItsAddressGainsNothing,
  detachedVifComesBack,
  destroyIsQuickAndLeavesNothing,
  rebootedVmKeepsItsAddress,
  trafficOutlivesTheDaemon,
  daemonMayDieBetweenAnyTwoSteps,
  vmsThatWereThereFirstAreServed,
} satisfies Scenarios;

export const scenarios = {
  ...storeScenarios,
  // What packets may do does not depend on the xenstored that told of the vif.
  vmsDoNotReachEachOther,
  witnessSeesWhatPasses,
  foreignSourceAddressesPassNothing,
  foreignMacPassesNothing,
  noSpoofedFramePasses,
} satisfies Scenarios;
