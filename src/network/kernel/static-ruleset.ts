/** The static rules in the kernel: loading it, and telling whether it is still there as it was loaded. */
import { readFileSync } from 'node:fs';
import { type StaticNames, staticNamesIn, staticPart } from '../text/static-ruleset-listing.ts';
import { list } from './nft.ts';

export type StaticRuleset = {
  /** The sets keep what they have. Throws CommandError. */
  readonly load: () => Promise<void>;
  /** False if it was not loaded by this process, or if a rule, chain, set or table of it is missing or changed. */
  readonly isWhole: () => Promise<boolean>;
};

/** Undefined if one of the tables is not there. */
const listStatic = async (names: StaticNames): Promise<string | undefined> => {
  const texts = await Promise.all(
    names.families.map((family) =>
      list(['nft', '-j', '-s', '-t', 'list', 'table', family, 'vifwatch']),
    ),
  );
  const present = texts.filter((text) => text !== undefined);
  return present.length === texts.length ? staticPart(present, names) : undefined;
};

/** @param files of rules/ @param load loads them */
export const openStaticRuleset = (
  files: readonly string[],
  load: () => Promise<void>,
): StaticRuleset => {
  let names: StaticNames | undefined;
  /** What nft made of the file: nobody else can say how it prints a rule. */
  let loaded: string | undefined;
  return {
    load: async () => {
      await load();
      names ??= staticNamesIn(files.map((file) => readFileSync(file, 'utf8')).join('\n'));
      // Not again after a repair, when the next damage may have been done already.
      loaded ??= await listStatic(names);
    },
    isWhole: async () =>
      names !== undefined && loaded !== undefined && (await listStatic(names)) === loaded,
  };
};
