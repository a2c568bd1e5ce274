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
  everyKindOfLiePassesNothing,
  foreignMacPassesNothing,
  foreignSourceAddressesPassNothing,
  witnessSeesWhatPasses,
} from './spoofing.ts';

export const scenarios = {
  newVmReachesItsNetwork,
  vmsDoNotReachEachOther,
  witnessSeesWhatPasses,
  foreignSourceAddressesPassNothing,
  foreignMacPassesNothing,
  everyKindOfLiePassesNothing,
  guestThatRewritesItsAddressGainsNothing,
  detachedVifComesBack,
  destroyIsQuickAndLeavesNothing,
  rebootedVmKeepsItsAddress,
  trafficOutlivesTheDaemon,
  daemonMayDieBetweenAnyTwoSteps,
  vmsThatWereThereFirstAreServed,
} satisfies Record<string, (host: Host) => Promise<void>>;
