/** Connection tracking: lists flows and deletes conntrack entries. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Family, type Prefix, parsePrefix } from '../../address/prefix.ts';
import { attempt, CommandError, run } from '../../system/command.ts';
import { stdinFile } from '../../system/input-pipe.ts';
import {
  addressesOf,
  deletionOf,
  deletionsFor,
  deletionsOf,
  type Flow,
  flowsOf,
} from '../policy/flow.ts';

/** About 10 ms of work, so that other events of the daemon wait no longer than that. */
const linesPerTurn = 1_000;

const listing = ['conntrack', '-L', '-o', 'id'] as const;
const deleting = ['conntrack', '-R', stdinFile] as const;

/** Each deletion walks the kernel's whole table; a run of conntrack must end within its deadline. */
const deletionsPerRun = 100;

/** Runs the deletions. A deletion that finds no entry is not an error. */
const forget = async (deletions: readonly string[]): Promise<void> => {
  for (let at = 0; at < deletions.length; at += deletionsPerRun) {
    const lines = deletions.slice(at, at + deletionsPerRun).map((deletion) => `${deletion}\n`);
    await run(deleting, lines.join(''));
  }
};

/**
 * The lines of a listing, which end with the entries' ids. conntrack reports on stderr how many it has shown:
 * a listing with another number of lines is cut off.
 */
const list = async (family: Family): Promise<readonly string[]> => {
  const argv = [...listing, '-f', `ipv${family}`];
  const { stdout, stderr, status } = await attempt(argv);
  if (status !== 0) throw new CommandError(argv, `exit status ${status}`, stderr);
  const lines = stdout.split('\n').slice(0, -1);
  const shown = /(\d+) flow entries have been shown/.exec(stderr)?.[1];
  if (lines.length !== Number(shown))
    throw new CommandError(argv, `printed ${lines.length} flows of ${shown ?? 'unknown'}`, stderr);
  return lines;
};

/** The flows of the prefixes that `isWanted` accepts. */
const findFlows = async (
  prefixes: readonly Prefix[],
  isWanted: (flow: Flow) => boolean,
): Promise<readonly Flow[]> => {
  const families = [...new Set(prefixes.map(({ family }) => family))];
  // One listing per family: each listing walks the kernel's whole table, with any filter.
  const lines = (await Promise.all(families.map(list))).flat();
  const flowsIn = flowsOf(prefixes);
  const found: Flow[] = [];
  for (let at = 0; at < lines.length; at += linesPerTurn) {
    const flows = flowsIn(lines.slice(at, at + linesPerTurn));
    if ('unreadable' in flows) throw new CommandError(listing, flows.unreadable, '');
    found.push(...flows.filter(isWanted));
    await nextTurn();
  }
  return found;
};

/**
 * Cuts every tracked flow with one of its ends in the prefixes.
 * @throws CommandError
 */
export const cutFlows = async (prefixes: readonly string[]): Promise<void> => {
  await forget(prefixes.flatMap(deletionsFor));
  const networks = prefixes.flatMap((text) => {
    const prefix = text.includes('/') ? parsePrefix(text) : undefined;
    return prefix === undefined || 'problem' in prefix ? [] : [prefix];
  });
  const left = await findFlows(networks, () => true);
  await forget(left.map(deletionOf));
};

/**
 * Cuts the tracked flows with one of their ends in the prefixes, except those that `isAllowed` accepts.
 * @throws CommandError, also if such a flow is still tracked afterwards
 */
export const cutFlowsUnless = async (
  prefixes: readonly Prefix[],
  isAllowed: (flow: Flow) => boolean,
): Promise<void> => {
  const spared = new Set<string>();
  const isForbidden = (flow: Flow): boolean => {
    if (!isAllowed(flow)) return true;
    for (const address of addressesOf(flow)) spared.add(address);
    return false;
  };
  const forbidden = await findFlows(prefixes, isForbidden);
  if (forbidden.length === 0) return;
  await forget(deletionsOf(forbidden, prefixes, spared));
  // A rule of the site may have let the same flow begin again; it then has another id.
  const cut = new Set(forbidden.map(({ id }) => id));
  const [left] = await findFlows(prefixes, ({ id }) => cut.has(id));
  if (left !== undefined)
    throw new CommandError(deleting, `did not delete the flow ${deletionOf(left)}`, '');
};
