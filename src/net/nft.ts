/** nftables: our two tables and nothing else. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Firewall } from '../core/kernel-state.ts';
import { type Additions, additions, deletions, parseFirewall } from '../core/nft-json.ts';
import type { Sweep } from '../core/plan.ts';
import { attempt, CommandError, run } from './command.ts';

export type Nft = {
  /** Loads the static rules, each file in one transaction; sets and policies keep what they have. */
  readonly loadBase: () => Promise<void>;
  /** Undefined if one of our tables is not there. */
  readonly observe: () => Promise<Firewall | undefined>;
  /** One transaction each; throws CommandError, and then nothing of it was applied. */
  readonly add: (what: Additions) => Promise<void>;
  readonly remove: (what: Sweep) => Promise<void>;
};

const listings = [
  ['nft', '-j', 'list', 'table', 'inet', 'vifwatch'],
  ['nft', '-j', 'list', 'table', 'arp', 'vifwatch'],
] as const;

const list = async (argv: readonly string[]): Promise<string | undefined> => {
  const { stdout, stderr, status } = await attempt(argv);
  if (status === 0) return stdout;
  if (stderr.split('\n', 1)[0]?.includes('No such file or directory')) return undefined;
  throw new CommandError(argv, `exit status ${status}`, stderr);
};

/**
 * @param baseFiles of rules/, the first of which is vifwatch.nft
 * @param directory where each transaction is left as a file: `nft -j -f -` cannot read a socket, which is
 *   what Node gives a child as stdin, and an argument may be no longer than 128 KiB
 */
export const openNft = (baseFiles: readonly string[], directory: string): Nft => {
  const apply = async (name: string, transaction: string): Promise<void> => {
    const file = join(directory, name);
    // Synchronous: /run is memory, and a vif waits for it.
    writeFileSync(file, transaction, { mode: 0o600 });
    await run(['nft', '-j', '-f', file]);
  };
  return {
    loadBase: async () => {
      for (const file of baseFiles) await run(['nft', '-f', file]);
    },
    observe: async () => {
      const texts = await Promise.all(listings.map(list));
      const present = texts.filter((text) => text !== undefined);
      return present.length === texts.length ? parseFirewall(present) : undefined;
    },
    add: (what) => apply('nft-add.json', additions(what)),
    remove: ({ elements, chains }) => apply('nft-delete.json', deletions(elements, chains)),
  };
};
