/** All operations of the daemon on net-vm's network, as one port. */

import type { Prefix } from '../../address/prefix.ts';
import type { Shares } from '../state/shares.ts';
import { gatewayTargetLines } from '../text/gateway-targets.ts';
import { shareLines } from '../text/share-rules.ts';
import { cutFlows, cutFlowsUnless } from './conntrack.ts';
import { flowLimitLines } from './flow-limit.ts';
import { observeLinks, openIpBatches } from './iproute.ts';
import { setKernelSizes } from './kernel-sizes.ts';
import { hasLink, linkNames } from './link-names.ts';
import { openNft } from './nft.ts';
import { isPanic, panic } from './panic.ts';
import { openStaticRuleset } from './static-ruleset.ts';
import { hardenVif, settingsProblem, switchForwardingOn } from './sysctl.ts';

type Settings = {
  /** The guests' gateway addresses. */
  readonly gateways: readonly Prefix[];
  readonly shares: Shares;
};

/** @param staticRulesetFiles files of rules/ in load order; the first is vifwatch.nft */
export const openNetwork = (
  staticRulesetFiles: readonly string[],
  { gateways, shares }: Settings,
) => {
  const nft = openNft(staticRulesetFiles, async () => [
    ...gatewayTargetLines(gateways),
    ...shareLines(shares),
    ...(await flowLimitLines(shares)),
  ]);
  const ipBatches = openIpBatches();
  return {
    nft,
    staticRuleset: openStaticRuleset(staticRulesetFiles, nft.loadStaticRuleset),
    panic: { isPanic, panic },
    observeLinks,
    linkNames,
    hasLink,
    ipBatches,
    hardenVif,
    switchForwardingOn,
    settingsProblem,
    setKernelSizes,
    cutFlows,
    cutFlowsUnless,
    /** Starts the programs that wait for the next vif. */
    prepare: () => {
      nft.prepare();
      ipBatches.prepare();
    },
    close: () => {
      nft.close();
      ipBatches.close();
    },
  };
};

export type Network = ReturnType<typeof openNetwork>;
