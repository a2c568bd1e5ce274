/** The lanes, and how a plan is spread over them. */
import type { Logger } from 'pino';
import { elementLink, keyOfElement } from '../core/kernel-state.ts';
import type { Plan } from '../core/plan.ts';
import { CommandError } from '../net/command.ts';
import type { Network } from '../net/network.ts';
import type { Backend } from '../xen/backend.ts';
import { openLane } from './lane.ts';
import { lower } from './lower.ts';
import type { Patience } from './patience.ts';
import { raise } from './raise.ts';
import { sweep } from './sweep.ts';
import type { World } from './world.ts';

export type LaneParts = {
  readonly world: World;
  readonly network: Network;
  readonly backend: Backend;
  readonly patience: Patience;
  readonly log: Logger;
  /** Asks for another pass, now or after some milliseconds. */
  readonly wake: (afterMs?: number) => void;
  /** For trouble that no further pass can mend. */
  readonly fail: (error: unknown) => void;
};

export type Lanes = {
  /** The links that some lane is working on. */
  /** While links are being raised, what happens to links calls for no pass: one comes at the end. */
  readonly isRaising: () => boolean;
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

export const openLanes = (parts: LaneParts): Lanes => {
  const { world, network, backend, patience, log, wake, fail } = parts;
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
  const raising = openLane(worked);
  const lowering = openLane(worked);
  const sweeping = openLane(worked);
  const linkWatch = openLane(ended);
  const elementWatch = openLane(ended);
  const all = [raising, lowering, sweeping, linkWatch, elementWatch];

  const doRaise = async (job: Parameters<typeof raise>[0]): Promise<void> => {
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
    } finally {
      if (job.raises.some(({ open }) => open) || job.gateways.length > 0) world.doubtLinks();
    }
  };

  const startRaising = ({ raise: openings, hostElements, gateways }: Plan): void => {
    const byKey = world.vifs();
    const raises = openings.flatMap((one) => {
      const vif = byKey.get(one.served.key);
      return vif === undefined || !patience.mayTry(vif.key) ? [] : [{ ...one, vif }];
    });
    if (!raising.isIdle() || raises.length + hostElements.length + gateways.length === 0) return;
    const links = raises.map(({ served }) => served.link);
    raising.start(links, () => doRaise({ raises, hostElements, gateways }));
  };

  const startLowering = (todo: Plan): void => {
    const { links, routes, neighbours } = todo.lower;
    const work = links.length + routes.length + neighbours.length + todo.finish.length;
    if (!lowering.isIdle() || work === 0) return;
    const finishing = todo.finish.map((key) => `vif${key.replace('/', '.')}`);
    const touched = [...routes, ...neighbours].map(({ link }) => link);
    lowering.start([...links, ...touched, ...finishing], async () => {
      await lower(todo, { network, backend });
      for (const key of todo.finish) world.touch({ key, node: undefined });
      world.doubtLinks();
    });
  };

  const startSweeping = (todo: Plan): void => {
    const elements = todo.sweep;
    if (!sweeping.isIdle() || elements.length === 0) return;
    sweeping.start(elements.map(elementLink), async () => {
      await sweep(todo, network);
      world.removed(elements);
      log.debug({ elements: elements.map(keyOfElement) }, 'took out of the firewall');
    });
  };

  /**
   * Not while links or rules change, nor at once after it: to look again can wait, and what comes in a
   * crowd, as vifs do at boot, would have to wait for the looking.
   */
  const startObserving = (): void => {
    const isQuiet = [raising, lowering, sweeping].every((lane) => lane.isIdle());
    const { links, elements } = world.due();
    if (!isQuiet || !(links || elements)) return;
    const restMs = lastWork + quietMs - performance.now();
    if (restMs > 0) {
      wake(restMs);
      return;
    }
    if (links && linkWatch.isIdle()) linkWatch.start([], world.observeLinks);
    if (elements && elementWatch.isIdle()) elementWatch.start([], world.observeElements);
  };

  return {
    isRaising: () => !raising.isIdle(),
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
