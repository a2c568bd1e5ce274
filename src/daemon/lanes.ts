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

export const openLanes = (parts: LaneParts): Lanes => {
  const { world, network, backend, patience, log, wake, fail } = parts;
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
  const raising = openLane(ended);
  const lowering = openLane(ended);
  const sweeping = openLane(ended);
  const linkWatch = openLane(ended);
  const elementWatch = openLane(ended);
  const all = [raising, lowering, sweeping, linkWatch, elementWatch];

  const doRaise = async (job: Parameters<typeof raise>[0]): Promise<void> => {
    try {
      for (const { vif, outcome } of await raise(job, { network, backend })) {
        world.touch({ key: vif.key, node: outcome === 'open' ? 'hotplug-status' : undefined });
        if (typeof outcome === 'object') patience.failed(vif.key, outcome);
        else patience.succeeded(vif.key);
      }
    } finally {
      world.doubtLinks();
      world.doubtElements();
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

  const startSweeping = ({ sweep: elements }: Plan): void => {
    if (!sweeping.isIdle() || elements.length === 0) return;
    sweeping.start(elements.map(elementLink), async () => {
      await sweep(elements, network);
      world.doubtElements();
      log.debug({ elements: elements.map(keyOfElement) }, 'took out of the firewall');
    });
  };

  /** Not while links or rules change: it would compete with them, and see them half done. */
  const startObserving = (): void => {
    if (!raising.isIdle() || !lowering.isIdle()) return;
    const { links, elements } = world.current();
    if (!links && linkWatch.isIdle()) linkWatch.start([], world.observeLinks);
    if (!elements && elementWatch.isIdle() && sweeping.isIdle()) {
      elementWatch.start([], world.observeElements);
    }
  };

  return {
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
