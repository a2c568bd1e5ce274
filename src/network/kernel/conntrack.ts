/** Connection tracking: lists flows and deletes conntrack entries. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Prefix } from '../../address/prefix.ts';
import { run } from '../../system/command.ts';
import { stdinFile } from '../../system/input-pipe.ts';
import { deletionOf, type Flow, flowsOf } from '../policy/flow.ts';

const familyOf = (prefix: string): string => (prefix.includes(':') ? 'ipv6' : 'ipv4');

/** About 10 ms of work, so that other events of the daemon wait no longer than that. */
const linesPerTurn = 1_000;

const sides = ['-s', '-d'] as const;

/** Runs all deletions in one process. A deletion that finds no entry is not an error. */
const forget = async (commands: readonly string[]): Promise<void> => {
  if (commands.length === 0) return;
  await run(['conntrack', '-R', stdinFile], commands.map((command) => `${command}\n`).join(''));
};

/**
 * Cuts every tracked flow from or to the addresses and prefixes.
 * @throws CommandError
 */
export const cutFlows = (prefixes: readonly string[]): Promise<void> =>
  forget(
    prefixes.flatMap((prefix) =>
      sides.map((side) => `-D -f ${familyOf(prefix)} ${side} ${prefix}`),
    ),
  );

/**
 * Cuts the tracked flows from or to the addresses and prefixes, except those that `isAllowed` accepts.
 * @throws CommandError
 */
export const cutFlowsUnless = async (
  prefixes: readonly Prefix[],
  isAllowed: (flow: Flow) => boolean,
): Promise<void> => {
  const families = [...new Set(prefixes.map(({ family }) => family))];
  // One listing per family: each listing walks the kernel's whole table, with any filter.
  const listings = await Promise.all(
    families.map((family) => run(['conntrack', '-L', '-f', `ipv${family}`])),
  );
  const lines = listings.flatMap((listing) => listing.split('\n'));
  const flowsIn = flowsOf(prefixes);
  const forbidden: Flow[] = [];
  for (let at = 0; at < lines.length; at += linesPerTurn) {
    const flows = flowsIn(lines.slice(at, at + linesPerTurn));
    forbidden.push(...flows.filter((flow) => !isAllowed(flow)));
    await nextTurn();
  }
  await forget([...new Set(forbidden.map(deletionOf))]);
};
