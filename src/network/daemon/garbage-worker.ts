/** The worker that removes unused elements and chains from the firewall. */

import type { Logger } from 'pino';
import { CommandError } from '../../system/command.ts';
import type { Network } from '../kernel/network.ts';
import type { Nft } from '../kernel/nft.ts';
import type { Garbage, Plan } from '../plan/plan.ts';
import { type Element, elementLink, isPrefixOnly, keyOfElement } from '../state/element.ts';
import type { ObservedState } from './observed-state.ts';
import type { Repair } from './repair.ts';
import { openWorker, type PlanWorker, type WorkEnd } from './worker.ts';

/**
 * The garbage in parts that can be removed one after the other: the elements of each link, those of no link,
 * then each chain.
 */
const partsOf = ({ elements, chains }: Garbage): readonly Garbage[] => {
  const byLink = new Map<string | undefined, Element[]>();
  for (const element of elements) {
    const link = elementLink(element);
    byLink.set(link, [...(byLink.get(link) ?? []), element]);
  }
  return [
    ...[...byLink.values()].map((own) => ({ elements: own, chains: [] })),
    ...chains.map((chain) => ({ elements: [], chains: [chain] })),
  ];
};

/**
 * Cuts the flows of the addresses, then removes the elements and chains: if the cut fails, the elements are
 * still there, and the next pass plans the cut again. Garbage that nft cannot remove, for example a chain that
 * another program uses, keeps no other garbage in place.
 * @param removed called with what nft has removed
 * @throws CommandError
 */
export const garbageCollect = async (
  { garbage, cut }: Pick<Plan, 'garbage' | 'cut'>,
  { cutFlows, nft }: { readonly cutFlows: Network['cutFlows']; readonly nft: Pick<Nft, 'remove'> },
  removed: (what: Garbage) => void,
): Promise<void> => {
  const remove = async (what: Garbage): Promise<CommandError | undefined> => {
    try {
      await nft.remove(what);
      removed(what);
      return undefined;
    } catch (error) {
      if (error instanceof CommandError) return error;
      throw error;
    }
  };
  await cutFlows(cut);
  let failure = await remove(garbage);
  const parts = failure === undefined ? [] : partsOf(garbage);
  if (parts.length > 1) {
    failure = undefined;
    for (const part of parts) failure = (await remove(part)) ?? failure;
  }
  if (failure !== undefined) throw failure;
};

type Ports = {
  readonly observed: Pick<ObservedState, 'removed'>;
  readonly repair: Pick<Repair, 'logExcess'>;
  readonly garbageCollect: (todo: Plan, removed: (what: Garbage) => void) => Promise<void>;
  readonly log: Pick<Logger, 'debug'>;
  readonly worked: WorkEnd;
};

type GarbageWorker = PlanWorker & {
  /** The addresses and networks whose elements it removes now. */
  readonly leaving: () => ReadonlySet<string>;
};

export const openGarbageWorker = (ports: Ports): GarbageWorker => {
  const { observed, repair, garbageCollect, log } = ports;
  const worker = openWorker(ports.worked);
  let leaving: ReadonlySet<string> = new Set();
  return {
    workers: [worker],
    leaving: () => (worker.isIdle() ? new Set() : leaving),
    start: (todo) => {
      const { elements, chains } = todo.garbage;
      if (!worker.isIdle() || elements.length + chains.length === 0) return;
      repair.logExcess({ elements });
      const links = elements.flatMap((element) => elementLink(element) ?? []);
      leaving = new Set(elements.filter(isPrefixOnly).map(({ prefix }) => prefix));
      worker.start(links, () =>
        garbageCollect(todo, (what) => {
          observed.removed(what);
          log.debug(
            { elements: what.elements.map(keyOfElement), chains: what.chains },
            'removed unused elements and chains from the firewall',
          );
        }),
      );
    },
  };
};
