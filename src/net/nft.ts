/** nftables: our two tables and nothing else. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Element } from '../core/kernel-state.ts';
import { additions, deletions, parseElements } from '../core/nft-json.ts';
import { attempt, CommandError, run } from './command.ts';

export type Nft = {
  /** Loads rules/vifwatch.nft in one transaction; the sets keep what they have. */
  readonly loadBase: () => Promise<void>;
  /** Undefined if one of our tables is not there. */
  readonly elements: () => Promise<ReadonlyMap<string, Element> | undefined>;
  /** One transaction each; throws CommandError, and then nothing of it was applied. */
  readonly add: (elements: readonly Element[]) => Promise<void>;
  readonly remove: (elements: readonly Element[]) => Promise<void>;
};

const listings = [
  ['nft', '-j', 'list', 'table', 'inet', 'vifwatch'],
  ['nft', '-j', 'list', 'table', 'arp', 'vifwatch'],
] as const;

/** What a listing printed, or undefined if there is no such table; throws CommandError. */
export const list = async (argv: readonly string[]): Promise<string | undefined> => {
  const { stdout, stderr, status } = await attempt(argv);
  if (status === 0) return stdout;
  if (stderr.split('\n', 1)[0]?.includes('No such file or directory')) return undefined;
  throw new CommandError(argv, `exit status ${status}`, stderr);
};

/**
 * @param baseFile the path of rules/vifwatch.nft
 * @param directory where each transaction is left as a file: `nft -j -f -` cannot read a socket, which is
 *   what Node gives a child as stdin, and an argument may be no longer than 128 KiB
 */
export const openNft = (baseFile: string, directory: string): Nft => {
  const apply = async (name: string, transaction: string): Promise<void> => {
    const file = join(directory, name);
    // Synchronous: /run is memory, and a vif waits for it.
    writeFileSync(file, transaction, { mode: 0o600 });
    await run(['nft', '-j', '-f', file]);
  };
  return {
    loadBase: async () => {
      await run(['nft', '-f', baseFile]);
    },
    elements: async () => {
      const texts = await Promise.all(listings.map(list));
      const present = texts.filter((text) => text !== undefined);
      return present.length === texts.length ? parseElements(present) : undefined;
    },
    add: (elements) => apply('nft-add.json', additions(elements)),
    remove: (elements) => apply('nft-delete.json', deletions(elements)),
  };
};
