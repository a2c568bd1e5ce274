/** The lanes, and how a plan is spread over them. */

import type { Logger } from 'pino';
import type { Observable } from 'rxjs';
import { CommandError } from '../../system/command.ts';
import type { Network } from '../kernel/network.ts';
import type { Plan } from '../plan/plan.ts';
import { elementLink, keyOfElement } from '../state/kernel-state.ts';
import type { Backend } from '../store/backend.ts';
import type { VifKey } from '../vif/backend-vif.ts';
import type { ServedVif } from '../vif/served-vif.ts';
import { openGathering } from './gathering.ts';
import { openLane } from './lane.ts';
import { lower } from './lower.ts';
import type { Mending } from './mending.ts';
import type { Patience } from './patience.ts';
import type { Policies } from './policies.ts';
import { type RaiseJob, raise } from './raise.ts';
import { sweep } from './sweep.ts';
import type { World } from './world.ts';

export type LaneParts = {
  readonly world: World;
  readonly network: Network;
  readonly backend: Backend;
  readonly patience: Patience;
  readonly policies: Policies;
  readonly mending: Mending;
  /** False while no vif may be opened. */
  readonly mayOpen: () => boolean;
  /** Emits whenever a link may have appeared. */
  readonly linkChanges: Observable<unknown>;
  readonly log: Logger;
  /** Asks for another pass, now or after some milliseconds. */
  readonly wake: (afterMs?: number) => void;
  /** For trouble that no further pass can mend. */
  readonly fail: (error: unknown) => void;
};

export type Lanes = {
  /** While links are being raised, or awaited, what happens to links calls for no pass: one comes at the end. */
  readonly isRaising: () => boolean;
  /** The links that some lane is working on. */
  readonly busy: () => ReadonlySet<string>;
  /** Starts whatever of the plan has an idle lane; the rest comes with a later pass. */
  readonly start: (todo: Plan) => void;
  /** A program that failed when it was last run for no vif in particular. */
  readonly trouble: () => CommandError | undefined;
  /** Resolves when no lane has work. */
  readonly settled: () => Promise<void>;
};

/** ip, nft and conntrack fail for reasons that seldom go within milliseconds. */
const retryMs = 1_000;

const quietMs = 30;

/** What we did ourselves is most likely so; who waits for something else goes first. */
const verificationMs = 500;

/** What somebody else damaged must not wait for the end of a crowd. */
const longestUnseenMs = 300;

export const openLanes = (parts: LaneParts): Lanes => {
  const { world, network, backend, patience, policies, mending, mayOpen, log, wake, fail } = parts;
  let unseenSince: number | undefined;
  let lastWork = Number.NEGATIVE_INFINITY;
  const ended = (error?: unknown): void => {
    if (error === undefined) {
      wake();
    } else if (error instanceof CommandError) {
      log.error({ code: error.code }, error.message);
      wake(retryMs);
    } else {
      fail(error);
    }
  };
  const worked = (error?: unknown): void => {
    lastWork = performance.now();
    if (error !== undefined) world.doubtElements();
    ended(error);
  };
  const waiting = openLane(ended);
  const raising = openLane(worked);
  const lowering = openLane(worked);
  const sweeping = openLane(worked);
  const linkWatch = openLane(ended);
  const elementWatch = openLane(ended);
  const all = [waiting, raising, lowering, sweeping, linkWatch, elementWatch];
  const gathering = openGathering({ hasLink: network.hasLink, changes: parts.linkChanges });

  /** Vifs with a new policy whose forbidden flows may still live. */
  const uncut = new Set<VifKey>();

  const cutForbidden = async (served: readonly ServedVif[]): Promise<void> => {
    const changed = served.filter(({ key }) => uncut.has(key));
    if (changed.length > 0) {
      const allowed = policies.allowsFlow(served, world.names());
      const prefixes = changed.flatMap((one) => one.prefixes);
      await network.cutFlowsUnless(prefixes, allowed);
    }
    // Who is served no more has lost all its flows by that.
    uncut.clear();
  };

  const doRaise = async (job: RaiseJob, served: Plan['served']): Promise<void> => {
    for (const { replaced, vif } of job.raises) if (replaced.length > 0) uncut.add(vif.key);
    try {
      const results = await raise(job, {
        ...{ network, backend },
        added: world.added,
        mtuRefused: world.mtuRefused,
      });
      for (const { vif, outcome } of results) {
        if (outcome === 'open') world.touch({ key: vif.key, node: 'hotplug-status' });
        else if (outcome !== 'guarded') world.touch({ key: vif.key, node: undefined });
        if (typeof outcome === 'object') {
          patience.failed(vif.key, outcome);
          // Perhaps our tables are gone.
          world.doubtElements();
        } else {
          patience.succeeded(vif.key);
        }
      }
      await cutForbidden(served);
    } finally {
      if (job.raises.some(({ open }) => open) || job.gateways.length > 0) world.doubtLinks();
    }
  };

  const startRaising = (todo: Plan): void => {
    if (!waiting.isIdle() || !raising.isIdle() || !mayOpen()) return;
    const { raise: openings, host, served } = todo;
    const shared = host.elements.length + host.chains.length;
    const byKey = world.vifs();
    const raises = openings.flatMap((one) => {
      const vif = byKey.get(one.served.key);
      if (vif === undefined || !patience.mayTry(vif.key)) return [];
      const raise = { ...one, vif };
      return mending.may(raise) ? [raise] : [];
    });
    const isAnyReady = raises.some(({ open }) => open);
    const wait = gathering.before(isAnyReady, todo.coming);
    if (wait !== undefined) {
      waiting.start([], wait);
      return;
    }
    const gateways = mending.gateways(todo.gateways);
    if (raises.length + shared + gateways.length + uncut.size === 0) return;
    mending.note(raises);
    const links = raises.map(({ served }) => served.link);
    raising.start(links, () => doRaise({ raises, host, gateways }, served));
  };

  const startLowering = (todo: Plan): void => {
    const { links, routes, neighbours } = todo.lower;
    const work = links.length + routes.length + neighbours.length + todo.finish.length;
    if (!lowering.isIdle() || work === 0) return;
    const finishing = todo.finish.map((key) => `vif${key.replace('/', '.')}`);
    const touched = [...routes, ...neighbours].map(({ link }) => link);
    mending.logExcess({ routes: routes.filter(({ link }) => !links.includes(link)), neighbours });
    lowering.start([...links, ...touched, ...finishing], async () => {
      await lower(todo, { network, backend });
      for (const key of todo.finish) world.touch({ key, node: undefined });
      world.doubtLinks();
    });
  };

  const startSweeping = ({ sweep: what, cut }: Plan): void => {
    const { elements, chains } = what;
    if (!sweeping.isIdle() || elements.length + chains.length === 0) return;
    mending.logExcess({ elements });
    const links = elements.flatMap((element) => elementLink(element) ?? []);
    sweeping.start(links, async () => {
      await sweep({ sweep: what, cut }, network);
      world.removed(what);
      log.debug({ elements: elements.map(keyOfElement), chains }, 'took out of the firewall');
    });
  };

  /**
   * Not while links or rules change, nor at once after it: to look again can wait, and what comes in a
   * crowd, as vifs do at boot, would have to wait for the looking.
   */
  const startObserving = (): void => {
    const isQuiet = [waiting, raising, lowering, sweeping].every((lane) => lane.isIdle());
    const { links, ...due } = world.due();
    // Without our tables there is nothing to see.
    const elements = due.elements && mayOpen();
    const isDoubted = links || elements;
    if (!isDoubted && !due.verification) return;
    const now = performance.now();
    unseenSince = isDoubted ? (unseenSince ?? now) : undefined;
    const isOverdue = unseenSince !== undefined && now - unseenSince > longestUnseenMs;
    const restMs = lastWork + (isDoubted ? quietMs : verificationMs) - now;
    if (!isOverdue) {
      if (isQuiet && restMs > 0) wake(restMs);
      if (!isQuiet || restMs > 0) return;
    }
    unseenSince = undefined;
    if (links && linkWatch.isIdle()) linkWatch.start([], world.observeLinks);
    const mayVerify = due.verification && now >= lastWork + verificationMs && mayOpen();
    if ((elements || mayVerify) && elementWatch.isIdle())
      elementWatch.start([], world.observeElements);
  };

  return {
    isRaising: () => !waiting.isIdle() || !raising.isIdle(),
    busy: () => new Set(all.flatMap((lane) => lane.busy())),
    start: (todo) => {
      startRaising(todo);
      startLowering(todo);
      startSweeping(todo);
      startObserving();
    },
    trouble: () => all.map((lane) => lane.trouble()).find((error) => error instanceof CommandError),
    settled: async () => {
      await Promise.all(all.map((lane) => lane.settled()));
    },
  };
};
