/** Connection tracking: looking at flows and forgetting them. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Prefix } from '../../address/prefix.ts';
import { run } from '../../system/command.ts';
import { stdinFile } from '../../system/input-pipe.ts';
import { deletionOf, type Flow, flowsOf } from '../policy/flow.ts';

const familyOf = (prefix: string): string => (prefix.includes(':') ? 'ipv6' : 'ipv4');

/** Some 10 ms: for longer nobody who waits to be served should have to wait. */
const linesPerTurn = 1_000;

const sides = ['-s', '-d'] as const;

/** Runs deletions in one go; one that finds nothing is no error. */
const forget = async (commands: readonly string[]): Promise<void> => {
  if (commands.length === 0) return;
  await run(['conntrack', '-R', stdinFile], commands.map((command) => `${command}\n`).join(''));
};

/** Cuts every tracked flow from or to the addresses and prefixes; throws CommandError. */
export const cutFlows = (prefixes: readonly string[]): Promise<void> =>
  forget(
    prefixes.flatMap((prefix) =>
      sides.map((side) => `-D -f ${familyOf(prefix)} ${side} ${prefix}`),
    ),
  );

/** Cuts those flows from or to the addresses and prefixes that are not allowed; throws CommandError. */
export const cutFlowsUnless = async (
  prefixes: readonly Prefix[],
  isAllowed: (flow: Flow) => boolean,
): Promise<void> => {
  const families = [...new Set(prefixes.map(({ family }) => family))];
  // Each listing walks the kernel's whole table, whatever it is asked for.
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
