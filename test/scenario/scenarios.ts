/**
 * All scenarios, for both rigs. Each starts and ends with a running daemon and no VM, and throws an
 * AssertionError if its name is not true.
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

/** The scenarios that depend on xenstore's contents and events; they run with both kinds of xenstored. */
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
  // The handling of packets does not depend on the kind of xenstored.
  vmsDoNotReachEachOther,
  witnessSeesWhatPasses,
  foreignSourceAddressesPassNothing,
  foreignMacPassesNothing,
  noSpoofedFramePasses,
} satisfies Scenarios;
