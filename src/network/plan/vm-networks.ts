/** Where VMs' addresses are, besides the single ones of vifs. */

import { isHost, normalise, type Prefix } from '../../address/prefix.ts';
import type { Decision } from '../vif/decide-vifs.ts';
import { servedOf } from './desired.ts';

const networksOf = (decisions: readonly Decision[]): readonly Prefix[] => {
  const networks: Prefix[] = [];
  for (const decision of decisions) {
    for (const prefix of servedOf(decision)?.prefixes ?? []) {
      if (!isHost(prefix)) networks.push(prefix);
    }
  }
  return networks;
};

/** Asks what the configuration gives to VMs; then tells, of the present vifs, that and their networks: no two overlap. */
export const openVmNetworks = (configured: readonly Prefix[]) => {
  let ofVifs: readonly Prefix[] = [];
  let all = normalise(configured);
  return (decisions: readonly Decision[]): readonly Prefix[] => {
    const now = networksOf(decisions);
    // Asked at every pass, and they seldom change.
    const isSame =
      now.length === ofVifs.length && now.every((prefix, index) => prefix === ofVifs[index]);
    if (!isSame) {
      ofVifs = now;
      all = normalise([...configured, ...now]);
    }
    return all;
  };
};
