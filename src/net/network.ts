/** Everything the daemon does to net-vm's network, as one port. */
import { join } from 'node:path';
import { gatewayTargetLines } from '../core/gateway-targets.ts';
import type { Prefix } from '../core/prefix.ts';
import { cutFlows } from './conntrack.ts';
import { observeLinks, openIpBatches } from './iproute.ts';
import { linkNames } from './link-names.ts';
import { openNft } from './nft.ts';
import { hardenVif } from './sysctl.ts';

/**
 * @param baseFile rules/vifwatch.nft @param directory for the files that nft and conntrack read
 * @param gateways the guests' gateway addresses
 */
export const openNetwork = (baseFile: string, directory: string, gateways: readonly Prefix[]) => ({
  nft: openNft(baseFile, directory, gatewayTargetLines(gateways)),
  observeLinks,
  linkNames,
  ipBatches: openIpBatches(),
  hardenVif,
  cutFlows: (prefixes: readonly string[]) => cutFlows(join(directory, 'conntrack'), prefixes),
});

export type Network = ReturnType<typeof openNetwork>;
