/** nftables: reads and changes the daemon's own tables. */

import { attempt, CommandError, openStandby, run } from '../../system/command.ts';
import { stdinFile } from '../../system/input-pipe.ts';
import type { Garbage } from '../plan/plan.ts';
import type { Firewall } from '../state/kernel-state.ts';
import { type Counts, parseDrops, parseRefused } from '../status/drops.ts';
import { ingressProbe } from '../text/ingress.ts';
import { type Additions, additions, deletions, parseFirewall } from '../text/nft-json.ts';

export type Nft = {
  /**
   * Loads the static ruleset, each file in one transaction. Sets, counters and policies keep their content.
   */
  readonly loadStaticRuleset: () => Promise<void>;
  /** The content of the daemon's tables; undefined if one of them is missing. */
  readonly observe: () => Promise<Firewall | undefined>;
  /**
   * Adds everything in one transaction; so does `remove`. If nft refuses a transaction, none of it is
   * applied.
   * @throws CommandError
   */
  readonly add: (what: Additions) => Promise<void>;
  readonly remove: (what: Garbage) => Promise<void>;
  /** Whether a link's ingress chain may be added before the link. */
  readonly ingressMayPrecede: () => Promise<boolean>;
  /** The counters of the static ruleset. */
  readonly counts: () => Promise<Counts>;
  /** Starts an `nft` that waits for the next `add`. */
  readonly prepare: () => void;
  readonly close: () => void;
};

const listings = [
  ['nft', '-j', 'list', 'table', 'inet', 'vifwatch'],
  ['nft', '-j', 'list', 'table', 'arp', 'vifwatch'],
  ['nft', '-j', 'list', 'table', 'netdev', 'vifwatch'],
] as const;

/**
 * Runs a listing and returns its output; undefined if the table does not exist.
 * @throws CommandError
 */
export const list = async (argv: readonly string[]): Promise<string | undefined> => {
  const { stdout, stderr, status } = await attempt(argv);
  if (status === 0) return stdout;
  if (stderr.split('\n', 1)[0]?.includes('No such file or directory')) return undefined;
  throw new CommandError(argv, `exit status ${status}`, stderr);
};

/** nft asks the kernel only after it has read the whole JSON, so a process may be started ahead. */
const applying = ['nft', '-j', '-f', stdinFile] as const;

/**
 * Returns the JSON if libjansson can load it. It cannot load the escapes that JSON.stringify makes of NUL and
 * of half a surrogate pair: nft 1.0.6 then reads on for nft syntax, finds the pipe empty, and reports
 * success.
 * @throws CommandError if libjansson cannot load the JSON
 */
const loadable = (json: string): string => {
  if (/\\u(?:0000|d[89a-f])/.test(json))
    throw new CommandError(applying, 'its input is not valid text', '');
  return json;
};

/**
 * @param staticRulesetFiles files of rules/; the first is vifwatch.nft
 * @param hostLines returns lines that are loaded together with vifwatch.nft
 */
export const openNft = (
  [staticRulesetFile, ...otherFiles]: readonly string[],
  hostLines: () => Promise<readonly string[]> = async () => [],
): Nft => {
  const standby = openStandby(applying);
  return {
    loadStaticRuleset: async () => {
      const lines = [`include "${staticRulesetFile}"`, ...(await hostLines()), ''];
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
    counts: async () => {
      const [counters, ...refused] = await Promise.all([
        run(['nft', '-j', 'list', 'counters']),
        ...['inet', 'arp'].map((family) =>
          run(['nft', '-j', 'list', 'set', family, 'vifwatch', 'refused']),
        ),
      ]);
      return { drops: parseDrops(counters ?? ''), refused: parseRefused(refused) };
    },
  };
};
