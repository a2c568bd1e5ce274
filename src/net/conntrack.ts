/** Connection tracking: looking at flows and forgetting them. */
import { writeFile } from 'node:fs/promises';
import { deletionOf, type Flow, flowsOf } from '../core/flow.ts';
import type { Prefix } from '../core/prefix.ts';
import { run } from './command.ts';

const familyOf = (prefix: string): string => (prefix.includes(':') ? 'ipv6' : 'ipv4');

const sides = ['-s', '-d'] as const;

/**
 * Runs deletions in one go; one that finds nothing is no error.
 * @param file where the commands are left: like nft, conntrack cannot read the socket that Node gives a child
 */
const forget = async (file: string, commands: readonly string[]): Promise<void> => {
  if (commands.length === 0) return;
  await writeFile(file, commands.map((command) => `${command}\n`).join(''), { mode: 0o600 });
  await run(['conntrack', '-R', file]);
};

/** Cuts every tracked flow from or to the addresses and prefixes; throws CommandError. */
export const cutFlows = (file: string, prefixes: readonly string[]): Promise<void> =>
  forget(
    file,
    prefixes.flatMap((prefix) =>
      sides.map((side) => `-D -f ${familyOf(prefix)} ${side} ${prefix}`),
    ),
  );

/** Cuts those flows from or to the addresses and prefixes that are not allowed; throws CommandError. */
export const cutFlowsUnless = async (
  file: string,
  prefixes: readonly Prefix[],
  isAllowed: (flow: Flow) => boolean,
): Promise<void> => {
  const families = [...new Set(prefixes.map(({ family }) => family))];
  // Each listing walks the kernel's whole table, whatever it is asked for.
  const listings = await Promise.all(
    families.map((family) => run(['conntrack', '-L', '-f', `ipv${family}`])),
  );
  const flows = listings.flatMap((listing) => flowsOf(listing, prefixes));
  const forbidden = flows.filter((flow) => !isAllowed(flow));
  await forget(file, [...new Set(forbidden.map(deletionOf))]);
};
