/** nftables: our tables and nothing else. */

import { attempt, CommandError, openStandby, run } from '../../system/command.ts';
import { stdinFile } from '../../system/input-pipe.ts';
import type { Garbage } from '../plan/plan.ts';
import type { Firewall } from '../state/kernel-state.ts';
import { type Drops, parseDrops } from '../status/drops.ts';
import { ingressProbe } from '../text/ingress.ts';
import { type Additions, additions, deletions, parseFirewall } from '../text/nft-json.ts';

export type Nft = {
  /** Loads the static rules, each file in one transaction; sets, counters and policies keep what they have. */
  readonly loadStaticRuleset: () => Promise<void>;
  /** Undefined if one of our tables is not there. */
  readonly observe: () => Promise<Firewall | undefined>;
  /** One transaction each; throws CommandError, and then nothing of it was applied. */
  readonly add: (what: Additions) => Promise<void>;
  readonly remove: (what: Garbage) => Promise<void>;
  /** Whether a link's ingress chain may be added before the link. */
  readonly ingressMayPrecede: () => Promise<boolean>;
  readonly drops: () => Promise<Drops>;
  /** Has an `nft` ready for the next `add`. */
  readonly prepare: () => void;
  readonly close: () => void;
};

const listings = [
  ['nft', '-j', 'list', 'table', 'inet', 'vifwatch'],
  ['nft', '-j', 'list', 'table', 'arp', 'vifwatch'],
  ['nft', '-j', 'list', 'table', 'netdev', 'vifwatch'],
] as const;

/** What a listing printed, or undefined if there is no such table; throws CommandError. */
export const list = async (argv: readonly string[]): Promise<string | undefined> => {
  const { stdout, stderr, status } = await attempt(argv);
  if (status === 0) return stdout;
  if (stderr.split('\n', 1)[0]?.includes('No such file or directory')) return undefined;
  throw new CommandError(argv, `exit status ${status}`, stderr);
};

/** JSON is read before anything is asked of the kernel, so that one may stand by. */
const applying = ['nft', '-j', '-f', stdinFile] as const;

/**
 * Throws CommandError for what libjansson cannot load: characters that are NUL or half a pair, which JSON.stringify
 * escapes. nft 1.0.6 then reads on for a ruleset of its own language, finds the pipe empty, and says that all is well.
 */
const loadable = (json: string): string => {
  if (/\\u(?:0000|d[89a-f])/.test(json)) throw new CommandError(applying, 'not valid text', '');
  return json;
};

/**
 * @param staticRulesetFiles of rules/, the first of which is vifwatch.nft
 * @param hostLines what is loaded together with vifwatch.nft
 */
export const openNft = (
  [staticRulesetFile, ...otherFiles]: readonly string[],
  hostLines: readonly string[] = [],
): Nft => {
  const standby = openStandby(applying);
  return {
    loadStaticRuleset: async () => {
      const lines = [`include "${staticRulesetFile}"`, ...hostLines, ''];
      await run(['nft', '-f', stdinFile], lines.join('\n'));
      for (const file of otherFiles) await run(['nft', '-f', file]);
    },
    observe: async () => {
      const texts = await Promise.all(listings.map(list));
      const present = texts.filter((text) => text !== undefined);
      return present.length === texts.length ? parseFirewall(present) : undefined;
    },
    add: async (what) => {
      await standby.run(loadable(additions(what)));
    },
    remove: async ({ elements, chains }) => {
      await run(applying, loadable(deletions(elements, chains)));
    },
    ingressMayPrecede: async () => {
      const { status } = await attempt(['nft', '-j', '-c', '-f', stdinFile], ingressProbe());
      return status === 0;
    },
    prepare: standby.prepare,
    close: standby.close,
    drops: async () => parseDrops(await run(['nft', '-j', 'list', 'counters'])),
  };
};
