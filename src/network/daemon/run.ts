/** The daemon: joins all sources of change into triggers, and each trigger leads to a pass. */

import { mkdir, rm } from 'node:fs/promises';
import type { Logger } from 'pino';
import { concatMap, fromEvent, lastValueFrom, merge, Subject, takeUntil } from 'rxjs';
import { VifwatchError } from '../../errors.ts';
import { systemClock } from '../../system/clock.ts';
import { within } from '../../system/deadline.ts';
import { deferred } from '../../system/deferred.ts';
import { claimNamespace } from '../../system/one-per-namespace.ts';
import { singleFlight } from '../../system/single-flight.ts';
import { connect } from '../../xen/connect.ts';
import { loadNative } from '../../xen/native.ts';
import type { Xenstore } from '../../xen/xenstore.ts';
import { type Config, staticRulesetFilesOf } from '../config/config.ts';
import { watchLinks, watchNeighbours } from '../kernel/link-monitor.ts';
import { type Network, openNetwork } from '../kernel/network.ts';
import { watchRuleset } from '../kernel/nft-monitor.ts';
import { resolveHost } from '../kernel/resolver.ts';
import { watchTrafficControl } from '../kernel/traffic-control.ts';
import { type Backend, openBackend } from '../store/backend.ts';
import { publishReadiness, withdrawReadiness } from '../store/readiness.ts';
import type { Decision } from '../vif/decide-vifs.ts';
import { openAnnouncement } from './announcement.ts';
import { clockSteps } from './clock-steps.ts';
import { openControl } from './control.ts';
import { controlSocket } from './control-socket.ts';
import { openDaemonStatus } from './daemon-status.ts';
import { openFailedAttempts } from './failed-attempts.ts';
import { openFlowCuts } from './flow-cuts.ts';
import { openHostNames } from './host-names.ts';
import { openKernelSizeKeeper } from './kernel-size-keeper.ts';
import { linkLooks } from './link-looks.ts';
import { openLinkTimeout } from './link-timeout.ts';
import { openObservedState } from './observed-state.ts';
import { openPasses } from './pass.ts';
import { openPassTimer } from './pass-timer.ts';
import { openPolicies, type Policies, reloadOnEdit } from './policies.ts';
import { openRepair } from './repair.ts';
import { openRepairBackoff } from './repair-backoff.ts';
import { openStaticRulesetGuard } from './static-ruleset-guard.ts';
import type { Removals } from './take-down-worker.ts';
import { triggersOf } from './triggers.ts';
import { openVifHistory } from './vif-history.ts';
import { openWorkers } from './workers.ts';
import { watchXenstored } from './xenstored-watchdog.ts';

type DaemonOptions = {
  readonly config: Config;
  /** The directory with one policy file per VM. */
  readonly policies: string;
  /** The directory of the control socket. */
  readonly runtime: string;
  readonly log: Logger;
};

const prepareRuntime = async (runtime: string): Promise<void> => {
  try {
    await mkdir(runtime, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw new VifwatchError(
      'RUNTIME_DIR',
      `cannot create the directory ${runtime}: ${(error as Error).message}`,
    );
  }
};

/**
 * Loads the static ruleset, and only then lets the kernel forward packets.
 * @throws VifwatchError FIREWALL_BASE_FAILED or FORWARDING_FAILED
 */
const prepareKernel = async (network: Network): Promise<void> => {
  try {
    await network.staticRuleset.load();
  } catch (error) {
    throw new VifwatchError('FIREWALL_BASE_FAILED', (error as Error).message);
  }
  network.switchForwardingOn([]);
};

type Ports = {
  readonly store: Xenstore;
  readonly backend: Backend;
  readonly network: Network;
  readonly policies: Policies;
  readonly ingressMayPrecede: boolean;
};

/** The addresses and networks of all served vifs. */
const addressesOf = (decisions: readonly Decision[]): string[] =>
  decisions.flatMap((decision) =>
    decision.kind === 'served' ? decision.served.prefixes.map(({ text }) => text) : [],
  );

/** Opens the memories of the daemon's work, which a restart forgets. */
const openMemory = (log: Logger) => {
  const removals: Removals = openFailedAttempts(systemClock.now);
  return {
    linkTimeout: openLinkTimeout(systemClock.now),
    removals,
    repairBackoff: openRepairBackoff(systemClock.now),
    vifHistory: openVifHistory(log, systemClock.now),
  };
};

const openWatcher = (options: DaemonOptions, ports: Ports) => {
  const { config, log } = options;
  const { store, network, backend, policies } = ports;
  const { requests, requeue, requeueAfter } = openPassTimer(systemClock);
  const failures = new Subject<never>();
  const linkChanges = new Subject<void>();
  const listening = deferred<void>();
  const memory = openMemory(log);
  const { repairBackoff } = memory;
  const wantedNames = () => new Set([...config.allowed.keys(), ...policies.vmNames()]);
  const observed = openObservedState({ network, backend, wantedNames }, () => guard.suspect());
  const flowCuts = openFlowCuts({ ...ports, config, observed, log }, systemClock.now);
  const kernelSizes = openKernelSizeKeeper({ network, config, log }, systemClock.now);
  const shared = { ...ports, ...memory, config, log, observed, flowCuts, kernelSizes };
  const guard = openStaticRulesetGuard({
    network,
    repairBackoff,
    log,
    requeue,
    addresses: () => addressesOf(passes.decisions()),
    repaired: observed.invalidateElements,
  });
  const repair = openRepair({ observed, repairBackoff, log, requeueAfter });
  const workers = openWorkers({
    ...shared,
    repair,
    mayOpen: guard.isStanding,
    linkChanges,
    requeue,
    requeueAfter,
    fail: (error) => failures.error(error),
  });
  const passes = openPasses({ ...shared, workers, guard, repair, requeueAfter });
  const sources = {
    requests,
    store: backend.changes,
    links: watchLinks(),
    trafficControl: watchTrafficControl(),
    looks: linkLooks(() => passes.decisions()),
    neighbours: watchNeighbours(observed.isOurNeighbour),
    ruleset: watchRuleset(),
    xenstored: watchXenstored(store),
    policies: merge(policies.changes, clockSteps()),
    edits: reloadOnEdit(options.policies, policies),
  };
  const triggers = triggersOf(sources, {
    observed,
    guard,
    linksChanged: () => linkChanges.next(),
    listening: listening.resolve,
    isBringingUp: workers.isBringingUp,
  });
  return {
    observed,
    listening: listening.promise,
    /** Checks the static rules and panic mode. */
    guarded: () => {
      guard.suspect();
      return guard.settled();
    },
    settled: async () => {
      await Promise.all([workers.settled(), guard.settled()]);
    },
    status: openDaemonStatus({ ...shared, guard, workers, repair, passes }),
    passed: merge(triggers.pipe(singleFlight(passes.run)), failures),
  };
};

const stopSignals = () =>
  merge(...['SIGTERM', 'SIGINT'].map((signal) => fromEvent(process, signal)));

/** The longest wait for the first DNS answers at start. */
const firstAnswersMs = 1_000;

/**
 * The longest wait for the running work at the end. The supervisor kills the daemon after 10 s, and a program that
 * hangs may be one of many. The next daemon judges what this work left undone.
 */
const lastWorkMs = 5_000;

/**
 * Serves vifs until SIGTERM or SIGINT, then resolves. Its end neither opens a vif nor cuts a flow.
 * @throws VifwatchError, XenstoreError or CommandError if it cannot go on: the supervisor then starts it
 * again, and the firewall stands meanwhile
 */
export const runDaemon = async (options: DaemonOptions): Promise<void> => {
  const { runtime, log } = options;
  await prepareRuntime(runtime);
  const claim = await claimNamespace('vifwatch', loadNative().lockFile);
  const network = openNetwork(staticRulesetFilesOf(options.config), options.config);
  await prepareKernel(network);
  const ingressMayPrecede = await network.nft.ingressMayPrecede();
  network.prepare();
  const { store, domid } = await connect();
  await withdrawReadiness(store);
  const hostNames = openHostNames(resolveHost);
  const policies = await openPolicies(options.policies, hostNames, { clock: systemClock, log });
  const backend = openBackend(store, domid);
  const ports = { store, network, backend, policies, ingressMayPrecede };
  const watcher = openWatcher(options, ports);
  // The first pass should already know the names' addresses, so that they stay allowed across a restart. But
  // no vif waits long for a slow name server.
  await within(systemClock, firstAnswersMs, hostNames.asked(), () => undefined);
  // Decisions need net-vm's own addresses, and no vif may open in panic mode: so these observations come before
  // the first pass.
  const { observed, guarded } = watcher;
  await Promise.all([observed.observeLinks(), observed.observeElements(), guarded()]);
  const announcement = openAnnouncement({
    listening: watcher.listening,
    settled: watcher.settled,
    openControl: () => openControl(runtime, watcher.status),
    publishReadiness: async () => {
      await publishReadiness(store, log);
      log.info({ domid }, 'ready');
    },
  });
  const served = watcher.passed.pipe(
    concatMap((_, pass) => (pass > 0 ? [] : announcement.announce())),
    takeUntil(stopSignals()),
  );
  await lastValueFrom(served, { defaultValue: undefined });
  log.info('stopping: the firewall and all links stay as they are');
  await within(systemClock, lastWorkMs, watcher.settled(), () => undefined);
  await announcement.withdraw();
  await withdrawReadiness(store);
  await rm(controlSocket(runtime), { force: true });
  network.close();
  hostNames.close();
  store.close();
  await claim.close();
};
