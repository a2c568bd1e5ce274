/**
 * Opens vifs: adds the rules, then the neighbour entries, sets the link up, adds the routes. Only then does
 * it write "connected" for the toolstack.
 */

import { isProblem, messageOf, type Problem } from '../../errors.ts';
import { CommandError } from '../../system/command.ts';
import { isRefusal } from '../../xen/refusal.ts';
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
import { forEachOf } from './few-at-once.ts';
import { harden } from './harden.ts';

/** The vifs to bring up together, and what the host itself lacks. */
export type BringUpJob = {
  readonly bringUps: readonly (BringUp & { readonly vif: BackendVif })[];
  readonly host: Plan['host'];
  readonly gateways: readonly string[];
};

/**
 * `open`: the vif is open and marked as connected. `guarded`: its rules stand, and the job asked for no more.
 * `gone`: the vif was closed or replaced meanwhile, or its link vanished; the next pass decides again.
 */
export type BringUpResult = {
  readonly vif: BackendVif;
  readonly outcome: 'open' | 'guarded' | 'gone' | Problem;
};

type Ports = {
  readonly network: Network;
  readonly backend: Backend;
  /** Called with the additions that nft has accepted. */
  readonly added: (what: Additions) => void;
  /** Called if nft fails: the kernel may have taken the additions before that. */
  readonly doubted: (what: Additions) => void;
  /** Called when a link refuses the MTU that it inherits from the uplink. */
  readonly mtuRefused: (key: VifKey, mtu: number) => void;
};
type Opening = BringUpJob['bringUps'][number];

const failed = (code: Problem['code'], text: string): Problem => ({ code, text });

/** Runs a batch. An ip that does not work at all, or not in time, counts as one that stopped in the middle. */
const runBatch = async (lines: readonly string[], { network }: Ports): Promise<BatchResult> => {
  try {
    return await network.ipBatches.run(lines);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { failed: [], gaveUp: error.message };
  }
};

const rename = async (bringUps: readonly Opening[], ports: Ports): Promise<void> => {
  const named = bringUps.filter(({ served: { defaultLink, link } }) => defaultLink !== link);
  if (named.length === 0) return;
  const names = ports.network.linkNames();
  const unrenamed = named.filter(({ served }) => names.has(served.defaultLink));
  // A failed rename needs no handling here: the link's later lines fail too, since they use the new name.
  await runBatch(unrenamed.map(renameLine), ports);
};

/**
 * Adds all rules in one transaction. If that fails, it adds them in one transaction per vif, so that a faulty
 * vif fails alone.
 */
const addRules = async (
  { bringUps, host }: BringUpJob,
  { network: { nft }, added, doubted }: Ports,
): Promise<Map<Opening, Problem>> => {
  const problems = new Map<Opening, Problem>();
  const add = async (openings: readonly Opening[]): Promise<void> => {
    const what = {
      elements: [...host.elements, ...openings.flatMap(({ missing }) => missing)],
      chains: [...host.chains, ...openings.flatMap(({ chains }) => chains)],
      replaced: openings.flatMap(({ replaced }) => replaced),
    };
    if (what.elements.length + what.chains.length === 0) return;
    try {
      await nft.add(what);
    } catch (error) {
      doubted(what);
      throw error;
    }
    added(what);
  };
  try {
    await add(bringUps);
  } catch (error) {
    if (bringUps.length === 0) throw error;
    await forEachOf(bringUps, async (opening) => {
      try {
        await add([opening]);
      } catch (alone) {
        problems.set(opening, failed('FIREWALL_FAILED', messageOf(alone)));
      }
    });
  }
  return problems;
};

/**
 * The line that sets an MTU inherited from the uplink; undefined if dom0 asks for an MTU or none is to be
 * set. If this line fails, the vif is opened all the same.
 */
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

/**
 * Opens all links in one batch. If ip stops in the middle, it runs one batch per vif, so that a faulty vif
 * fails alone.
 */
const openLinks = async (
  openings: readonly Opening[],
  gateways: readonly string[],
  ports: Ports,
): Promise<Map<Opening, Problem>> => {
  const problems = new Map<Opening, Problem>();
  const note = (opening: Opening, result: BatchResult): void => {
    const problem = linkProblem(opening, result, ports);
    if (problem !== undefined) problems.set(opening, problem);
  };
  const lines = [...gateways.map(gatewayLine), ...openings.flatMap(bringUpLines)];
  const together = await (openings.length === 0
    ? ports.network.ipBatches.run(lines)
    : runBatch(lines, ports));
  const isAlone = together.gaveUp === undefined || openings.length === 1;
  await forEachOf(openings, async (opening) => {
    note(opening, isAlone ? together : await runBatch(bringUpLines(opening), ports));
  });
  return problems;
};

/**
 * Writes each guest's MTU before the guest learns that its vif is connected. libxl creates a new vif's node
 * with 1500, so most vifs need no write.
 */
const hintMtus = (openings: readonly Opening[], { backend }: Ports): Promise<unknown> =>
  Promise.all(
    openings.flatMap(({ vif, served: { key, mtu } }) =>
      mtu === undefined || (mtu === ethernetMtu && !isConnected(vif))
        ? []
        : [backend.hintMtu(key, mtu)],
    ),
  );

/**
 * Marks the opened vifs as connected for the toolstack. Returns the keys of the vifs that are marked, or a
 * Problem if xenstored refused.
 */
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
 * Opens all vifs of the job together; each gets its own outcome.
 * @throws CommandError for a failure that belongs to no vif
 * @throws XenstoreError if the connection is lost
 */
export const bringUp = async (job: BringUpJob, ports: Ports): Promise<readonly BringUpResult[]> => {
  const { network } = ports;
  const opening = job.bringUps.filter(({ open }) => open);
  await rename(opening, ports);
  // The MTUs and the sysctls are written while nft runs, since nft takes longer.
  const [ruled, hardened] = await Promise.all([
    addRules(job, ports),
    harden(opening, {
      hardenVif: network.hardenVif,
      runBatch: (lines) => runBatch(lines, ports),
    }),
    hintMtus(opening, ports),
  ]);
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
