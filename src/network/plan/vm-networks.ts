/** The networks in which VMs have addresses; host addresses are separate. */

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

/**
 * Returns a function from the current decisions to all networks of VMs, merged so that they do not overlap.
 * @param configured the networks and addresses that the configuration gives to VMs
 */
export const openVmNetworks = (configured: readonly Prefix[]) => {
  let ofVifs: readonly Prefix[] = [];
  let all = normalise(configured);
  return (decisions: readonly Decision[]): readonly Prefix[] => {
    const now = networksOf(decisions);
    // Every pass calls this, and the networks seldom change.
    const isSame =
      now.length === ofVifs.length && now.every((prefix, index) => prefix === ofVifs[index]);
    if (!isSame) {
      ofVifs = now;
      all = normalise([...configured, ...now]);
    }
    return all;
  };
};
