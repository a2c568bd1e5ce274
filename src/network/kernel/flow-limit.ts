/** Notices that the limit of open flows has changed since the ruleset was last loaded. */
import type { Shares } from '../state/shares.ts';
import { flushLines, openFlowLimit, openFlowSets } from '../text/share-rules.ts';
import { list } from './nft.ts';

/**
 * nft commands that put a changed limit in force for vifs with open flows; the kernel then counts only their later
 * flows. An unchanged limit keeps the counts, also across a restart of the daemon.
 * @throws CommandError
 */
export const flowLimitLines = async (shares: Shares): Promise<readonly string[]> => {
  const chain = await list(['nft', 'list', 'chain', 'inet', 'vifwatch', 'share_new_flow']);
  const isOther = chain?.includes('ct count') === true && !chain.includes(openFlowLimit(shares));
  return isOther ? flushLines(openFlowSets) : [];
};
