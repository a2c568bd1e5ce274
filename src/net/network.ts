/** Everything the daemon does to net-vm's network, as one port. */
import { join } from 'node:path';
import { openBase } from './base.ts';
import { cutFlows } from './conntrack.ts';
import { observeLinks, openIpBatches } from './iproute.ts';
import { linkNames } from './link-names.ts';
import { openNft } from './nft.ts';
import { isPanic, panic } from './panic.ts';
import { hardenVif } from './sysctl.ts';

/** @param baseFile rules/vifwatch.nft @param directory for the files that nft and conntrack read */
export const openNetwork = (baseFile: string, directory: string) => {
  const nft = openNft(baseFile, directory);
  const cutting = (file: string) => (prefixes: readonly string[]) =>
    cutFlows(join(directory, file), prefixes);
  return {
    nft,
    base: openBase(baseFile, nft.loadBase),
    panic: { isPanic, panic },
    observeLinks,
    linkNames,
    ipBatches: openIpBatches(),
    hardenVif,
    cutFlows: cutting('conntrack'),
    /** The same, at the same time. */
    cutAllFlows: cutting('conntrack-all'),
  };
};

export type Network = ReturnType<typeof openNetwork>;
