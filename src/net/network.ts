/** Everything the daemon does to net-vm's network, as one port. */
import { join } from 'node:path';
import type { Flow } from '../core/flow.ts';
import { gatewayTargetLines } from '../core/gateway-targets.ts';
import type { Prefix } from '../core/prefix.ts';
import { openBase } from './base.ts';
import { cutFlows, cutFlowsUnless } from './conntrack.ts';
import { observeLinks, openIpBatches } from './iproute.ts';
import { linkNames } from './link-names.ts';
import { openNft } from './nft.ts';
import { isPanic, panic } from './panic.ts';
import { hardenVif } from './sysctl.ts';

/**
 * @param baseFiles of rules/, in order @param directory for the files that nft and conntrack read
 * @param gateways the guests' gateway addresses
 */
export const openNetwork = (
  baseFiles: readonly string[],
  directory: string,
  gateways: readonly Prefix[],
) => {
  const nft = openNft(baseFiles, directory, gatewayTargetLines(gateways));
  const cutting = (file: string) => (prefixes: readonly string[]) =>
    cutFlows(join(directory, file), prefixes);
  return {
    nft,
    base: openBase(baseFiles, nft.loadBase),
    panic: { isPanic, panic },
    observeLinks,
    linkNames,
    ipBatches: openIpBatches(),
    hardenVif,
    cutFlows: cutting('conntrack'),
    /** The same, at the same time. */
    cutAllFlows: cutting('conntrack-all'),
    cutFlowsUnless: (prefixes: readonly Prefix[], isAllowed: (flow: Flow) => boolean) =>
      cutFlowsUnless(join(directory, 'conntrack-policy'), prefixes, isAllowed),
  };
};

export type Network = ReturnType<typeof openNetwork>;
