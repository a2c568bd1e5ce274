/** Cuts tracked flows that a vif's new policy forbids. */

import type { Network } from '../kernel/network.ts';
import type { VifKey } from '../vif/backend-vif.ts';
import type { ServedVif } from '../vif/served-vif.ts';
import type { ObservedState } from './observed-state.ts';
import type { Policies } from './policies.ts';

type Ports = {
  readonly network: Pick<Network, 'cutFlowsUnless'>;
  readonly policies: Pick<Policies, 'allowsFlow'>;
  readonly observed: Pick<ObservedState, 'names'>;
};

export type FlowCuts = {
  /** Records that the vif gets a new policy: flows that it forbids may still be tracked. */
  readonly expect: (key: VifKey) => void;
  readonly areDue: () => boolean;
  /**
   * Cuts the forbidden flows of the recorded vifs that are served.
   * @throws CommandError; the cuts then stay due
   */
  readonly cut: (served: readonly ServedVif[]) => Promise<void>;
};

export const openFlowCuts = ({ network, policies, observed }: Ports): FlowCuts => {
  const uncut = new Set<VifKey>();
  return {
    expect: (key) => uncut.add(key),
    areDue: () => uncut.size > 0,
    cut: async (served) => {
      const changed = served.filter(({ key }) => uncut.has(key));
      if (changed.length > 0) {
        const allowed = policies.allowsFlow(served, observed.names());
        const prefixes = changed.flatMap((vif) => vif.prefixes);
        await network.cutFlowsUnless(prefixes, allowed);
      }
      // A vif that is not served any more needs no cut here: all its flows end with its elements.
      uncut.clear();
    },
  };
};
