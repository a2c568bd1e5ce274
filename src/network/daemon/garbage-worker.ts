/** The worker that removes unused elements and chains from the firewall. */

import type { Logger } from 'pino';
import { CommandError } from '../../system/command.ts';
import type { Network } from '../kernel/network.ts';
import { type GarbageShare, sharesOf } from '../plan/garbage-shares.ts';
import type { Garbage, Plan } from '../plan/plan.ts';
import { elementLink, isPrefixOnly, keyOfElement } from '../state/element.ts';
import { forEachOf } from './few-at-once.ts';
import type { Repair } from './repair.ts';
import { openWorker, type PlanWorker, type WorkEnd } from './worker.ts';

type Ports = {
  readonly network: {
    readonly cutFlows: Network['cutFlows'];
    readonly nft: Pick<Network['nft'], 'remove'>;
  };
  /** Called with what nft has removed. */
  readonly removed: (what: Garbage) => void;
  readonly log: Pick<Logger, 'debug'>;
};

/**
 * Removes elements and chains, and cuts the flows of their addresses. It cuts the flows first: if that fails,
 * the elements are still there, and the next pass plans the cut again.
 * @throws CommandError
 */
const collect = async (
  { garbage, cut }: GarbageShare,
  { network, removed, log }: Ports,
): Promise<void> => {
  await network.cutFlows(cut);
  await network.nft.remove(garbage);
  removed(garbage);
  log.debug(
    { elements: garbage.elements.map(keyOfElement), chains: garbage.chains },
    'removed unused elements and chains from the firewall',
  );
};

const merged = (shares: readonly GarbageShare[]): GarbageShare => ({
  garbage: {
    elements: shares.flatMap(({ garbage }) => garbage.elements),
    chains: shares.flatMap(({ garbage }) => garbage.chains),
  },
  cut: [...new Set(shares.flatMap(({ cut }) => cut))],
});

/** Collects the shares together and, if that fails, each alone: a faulty one fails alone. */
const collectShares = async (
  shares: readonly GarbageShare[],
  ports: Ports,
): Promise<readonly CommandError[]> => {
  const failures: CommandError[] = [];
  const attempt = async (share: GarbageShare): Promise<boolean> => {
    try {
      await collect(share, ports);
      return true;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      failures.push(error);
      return false;
    }
  };
  if (shares.length === 0 || (await attempt(merged(shares))) || shares.length === 1)
    return failures;
  failures.length = 0;
  await forEachOf(shares, async (share) => void (await attempt(share)));
  return failures;
};

/**
 * Collects what needs no cut first: a forwarded port or an uplink that the configuration no longer has is
 * closed although conntrack fails. Chains come last, since the other elements may jump to them.
 * @throws CommandError if a share could not be collected
 */
export const garbageCollect = async (
  todo: Pick<Plan, 'garbage' | 'cut'>,
  ports: Ports,
): Promise<void> => {
  const shares = sharesOf(todo);
  const isChain = ({ garbage }: GarbageShare): boolean => garbage.chains.length > 0;
  const steps =
    todo.cut.length === 0
      ? [shares]
      : [
          shares.filter((share) => !isChain(share) && share.cut.length === 0),
          shares.filter(({ cut }) => cut.length > 0),
          shares.filter(isChain),
        ];
  const failures: CommandError[] = [];
  for (const step of steps) failures.push(...(await collectShares(step, ports)));
  const [failure] = failures;
  if (failure !== undefined) throw failure;
};

type WorkerPorts = {
  readonly repair: Pick<Repair, 'logExcess'>;
  readonly garbageCollect: (todo: Plan) => Promise<void>;
  readonly worked: WorkEnd;
};

type GarbageWorker = PlanWorker & {
  /** The addresses and networks whose elements it removes now. */
  readonly leaving: () => ReadonlySet<string>;
};

export const openGarbageWorker = (ports: WorkerPorts): GarbageWorker => {
  const { repair, garbageCollect } = ports;
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
      worker.start(links, () => garbageCollect(todo));
    },
  };
};
