/** Opens vifs: rules, then neighbour, link up, route; only then does the toolstack hear "connected". */

import type { Problem } from '../../errors.ts';
import { isProblem } from '../../errors.ts';
import { isRefusal } from '../../xen/xenstore.ts';
import type { BatchResult } from '../kernel/iproute.ts';
import type { Network } from '../kernel/network.ts';
import type { BringUp } from '../plan/desired.ts';
import type { Plan } from '../plan/plan.ts';
import type { Backend } from '../store/backend.ts';
import { bringUpLines, gatewayLine, mtuLine, renameLine } from '../text/ip-batch.ts';
import type { Additions } from '../text/nft-json.ts';
import type { BackendVif, VifKey } from '../vif/backend-vif.ts';
import { isConnected } from '../vif/decide-vifs.ts';
import { ethernetMtu } from '../vif/mtu.ts';

export type BringUpJob = {
  readonly bringUps: readonly (BringUp & { readonly vif: BackendVif })[];
  readonly host: Plan['host'];
  readonly gateways: readonly string[];
};

/** `gone`: closed or replaced meanwhile, for the next pass to judge; `guarded`: its rules stand, no more was asked. */
export type BringUpResult = {
  readonly vif: BackendVif;
  readonly outcome: 'open' | 'guarded' | 'gone' | Problem;
};

type Ports = {
  readonly network: Network;
  readonly backend: Backend;
  readonly added: (what: Additions) => void;
  /** Hears of an inherited MTU that a link does not take. */
  readonly mtuRefused: (key: VifKey, mtu: number) => void;
};
type Opening = BringUpJob['bringUps'][number];

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

const failed = (code: Problem['code'], text: string): Problem => ({ code, text });

const rename = async (bringUps: readonly Opening[], { network }: Ports): Promise<void> => {
  const named = bringUps.filter(({ served: { defaultLink, link } }) => defaultLink !== link);
  if (named.length === 0) return;
  const names = network.linkNames();
  const unrenamed = named.filter(({ served }) => names.has(served.defaultLink));
  // A refusal shows up again when the link is set up under its new name.
  await network.ipBatches.run(unrenamed.map(renameLine));
};

const harden = (bringUps: readonly Opening[], { network }: Ports): Map<Opening, Problem> => {
  const problems = new Map<Opening, Problem>();
  for (const opening of bringUps) {
    try {
      const { link, prefixes } = opening.served;
      network.hardenVif(
        link,
        prefixes.some(({ family }) => family === 6),
      );
    } catch (error) {
      problems.set(opening, failed('LINK_FAILED', messageOf(error)));
    }
  }
  return problems;
};

/**
 * All rules in one transaction; if it is refused, one transaction per vif, so that each fails alone.
 * `added` hears of what stands.
 */
const addRules = async (
  { bringUps, host }: BringUpJob,
  { network: { nft }, added }: Ports,
): Promise<Map<Opening, Problem>> => {
  const problems = new Map<Opening, Problem>();
  const add = async (openings: readonly Opening[]): Promise<void> => {
    const what = {
      elements: [...host.elements, ...openings.flatMap(({ missing }) => missing)],
      chains: [...host.chains, ...openings.flatMap(({ chains }) => chains)],
      replaced: openings.flatMap(({ replaced }) => replaced),
    };
    if (what.elements.length + what.chains.length === 0) return;
    await nft.add(what);
    added(what);
  };
  try {
    await add(bringUps);
  } catch (error) {
    if (bringUps.length === 0) throw error;
    for (const opening of bringUps) {
      try {
        await add([opening]);
      } catch (alone) {
        problems.set(opening, failed('FIREWALL_FAILED', messageOf(alone)));
      }
    }
  }
  return problems;
};

/** The uplink's MTU, where dom0 asks for none: that a link does not take it is no reason to keep it closed. */
const inheritedMtuLine = ({ vif: { facts }, served, mtu }: Opening): string | undefined =>
  mtu === undefined || isProblem(facts) || facts.mtu !== undefined
    ? undefined
    : mtuLine(served.link, mtu);

const linkProblem = (
  opening: Opening,
  { failed: lines, gaveUp }: BatchResult,
  { mtuRefused }: Ports,
) => {
  const own = new Set(bringUpLines(opening));
  const optional = inheritedMtuLine(opening);
  if (opening.mtu !== undefined && lines.some(({ line }) => line === optional)) {
    mtuRefused(opening.served.key, opening.mtu);
  }
  const failure = lines.find(({ line }) => own.has(line) && line !== optional);
  if (failure !== undefined) {
    return failed('LINK_FAILED', `ip ${failure.line}: ${failure.message}`);
  }
  return gaveUp === undefined ? undefined : failed('LINK_FAILED', `ip: ${gaveUp}`);
};

/** All links in one batch; if ip gives it up, one batch per vif, so that each fails alone. */
const openLinks = async (
  openings: readonly Opening[],
  gateways: readonly string[],
  ports: Ports,
): Promise<Map<Opening, Problem>> => {
  const { network } = ports;
  const problems = new Map<Opening, Problem>();
  const note = (opening: Opening, result: BatchResult): void => {
    const problem = linkProblem(opening, result, ports);
    if (problem !== undefined) problems.set(opening, problem);
  };
  const lines = [...gateways.map(gatewayLine), ...openings.flatMap(bringUpLines)];
  const together = await network.ipBatches.run(lines);
  for (const opening of openings) {
    const alone = together.gaveUp === undefined || openings.length === 1;
    note(opening, alone ? together : await network.ipBatches.run(bringUpLines(opening)));
  }
  return problems;
};

/**
 * Tells the guests their MTU before they are told that the vif is there. A new vif's node says 1500 from the start
 * (libxl), so that mostly there is nothing to write.
 */
const hintMtus = (openings: readonly Opening[], { backend }: Ports): Promise<unknown> =>
  Promise.all(
    openings.flatMap(({ vif, served: { key, mtu } }) =>
      mtu === undefined || (mtu === ethernetMtu && !isConnected(vif))
        ? []
        : [backend.hintMtu(key, mtu)],
    ),
  );

/** Tells the toolstack of all that are open, and returns those for which that worked. */
const announce = async (
  opened: readonly Opening[],
  { backend }: Ports,
): Promise<ReadonlySet<VifKey> | Problem> => {
  const vifs = opened.map(({ vif }) => vif);
  const known = vifs.filter(isConnected).map(({ key }) => key);
  try {
    const marked = await backend.markConnected(vifs.filter((vif) => !isConnected(vif)));
    return new Set([...known, ...marked]);
  } catch (error) {
    if (isRefusal(error)) return failed('XENSTORE_FAILED', error.message);
    throw error;
  }
};

const announced = (
  { vif }: Opening,
  result: ReadonlySet<VifKey> | Problem,
): BringUpResult['outcome'] => {
  if ('code' in result) return result;
  return result.has(vif.key) ? 'open' : 'gone';
};

/**
 * Opens all vifs of the job together; each has its own outcome. Throws CommandError for trouble of the
 * host itself, and XenstoreError if the connection is lost.
 */
export const bringUp = async (job: BringUpJob, ports: Ports): Promise<readonly BringUpResult[]> => {
  const { network } = ports;
  const opening = job.bringUps.filter(({ open }) => open);
  await rename(opening, ports);
  // Beside the rules, which take longer.
  const preparing = Promise.all([addRules(job, ports), hintMtus(opening, ports)]);
  const hardened = harden(opening, ports);
  const [ruled] = await preparing;
  const problems = new Map([...hardened, ...ruled]);
  const guarded = opening.filter((candidate) => !problems.has(candidate));
  const unopened = await openLinks(guarded, job.gateways, ports);
  const opened = guarded.filter((candidate) => !unopened.has(candidate));
  const announcement = await announce(opened, ports);
  const names = unopened.size > 0 ? network.linkNames() : undefined;
  return job.bringUps.map((candidate): BringUpResult => {
    const { vif, served, open } = candidate;
    const problem = problems.get(candidate) ?? unopened.get(candidate);
    if (problem !== undefined) {
      const isGone = names !== undefined && !names.has(served.link);
      return { vif, outcome: isGone ? 'gone' : problem };
    }
    return { vif, outcome: open ? announced(candidate, announcement) : 'guarded' };
  });
};
