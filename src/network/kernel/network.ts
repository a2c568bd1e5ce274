/** All operations of the daemon on net-vm's network, as one port. */

import type { Prefix } from '../../address/prefix.ts';
import { gatewayTargetLines } from '../text/gateway-targets.ts';
import { cutFlows, cutFlowsUnless } from './conntrack.ts';
import { observeLinks, openIpBatches } from './iproute.ts';
import { hasLink, linkNames } from './link-names.ts';
import { openNft } from './nft.ts';
import { isPanic, panic } from './panic.ts';
import { openStaticRuleset } from './static-ruleset.ts';
import { hardenVif, settingsProblem, switchForwardingOn } from './sysctl.ts';

/**
 * @param staticRulesetFiles files of rules/ in load order; the first is vifwatch.nft
 * @param gateways the guests' gateway addresses
 */
export const openNetwork = (staticRulesetFiles: readonly string[], gateways: readonly Prefix[]) => {
  const nft = openNft(staticRulesetFiles, gatewayTargetLines(gateways));
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
