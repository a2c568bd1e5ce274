/** The static ruleset in the kernel: loads it, and checks whether it is still as it was loaded. */
import { readFileSync } from 'node:fs';
import {
  type StaticNames,
  type StaticPart,
  staticNamesIn,
  staticPart,
} from '../text/static-ruleset-listing.ts';
import { list } from './nft.ts';

type StaticRuleset = {
  /**
   * Loads the ruleset; the sets keep their elements.
   * @throws CommandError
   */
  readonly load: () => Promise<void>;
  /**
   * False if this process has not loaded the ruleset, or if one of its rules, chains, sets or tables is
   * missing or changed.
   * @throws CommandError
   */
  readonly isWhole: () => Promise<boolean>;
};

/** The static part of nft's listing; undefined if one of the tables is missing. */
const listStatic = async (names: StaticNames): Promise<StaticPart | undefined> => {
  const texts = await Promise.all(
    names.families.map((family) =>
      list(['nft', '-j', '-s', '-t', 'list', 'table', family, 'vifwatch']),
    ),
  );
  const present = texts.filter((text) => text !== undefined);
  return present.length === texts.length ? staticPart(present, names) : undefined;
};

/**
 * @param files files of rules/
 * @param load loads these files
 */
export const openStaticRuleset = (
  files: readonly string[],
  load: () => Promise<void>,
): StaticRuleset => {
  let names: StaticNames | undefined;
  /**
   * nft's listing after the first load. The files themselves cannot be compared with a later listing, since
   * only nft knows how it prints a rule.
   */
  let loaded: StaticPart | undefined;
  return {
    load: async () => {
      await load();
      names ??= staticNamesIn(files.map((file) => readFileSync(file, 'utf8')).join('\n'));
      // Not after a repair: another program may have changed the ruleset again before this listing.
      loaded ??= await listStatic(names);
    },
    isWhole: async () => {
      if (names === undefined || loaded === undefined) return false;
      const now = await listStatic(names);
      if (now === undefined || now.text === loaded.text) return now !== undefined;
      if (now.nftVersion === loaded.nftVersion) return false;
      // An upgraded nft may list the same ruleset in another form. After a load, its listing is the measure.
      await load();
      loaded = await listStatic(names);
      return loaded !== undefined;
    },
  };
};
