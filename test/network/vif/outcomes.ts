/** Decisions as short texts, and links for tests of decisions. */
import type { KernelLink, KernelState } from '../../../src/network/state/kernel-state.ts';
import { noWrongSettings } from '../../../src/network/state/link-settings.ts';
import type { BackendVif } from '../../../src/network/vif/backend-vif.ts';
import {
  type Circumstances,
  type Decision,
  decideVifs,
} from '../../../src/network/vif/decide-vifs.ts';
import { linkNameOf } from '../../support/link-name.ts';
import { circumstances, emptyKernel } from '../store-fixture.ts';

const short = (decision: Decision | undefined): string => {
  switch (decision?.kind) {
    case 'refused':
      return decision.problem.code;
    case 'waiting':
      return `waiting for ${decision.for}`;
    default:
      return decision?.kind ?? 'no decision';
  }
};

/** The outcome of each vif's decision, by its key. */
export const outcomes = (
  vifs: readonly BackendVif[],
  more?: Partial<Circumstances>,
): Record<string, string> => {
  const decisions = decideVifs(circumstances(vifs, more));
  return Object.fromEntries(decisions.map((decision) => [decision.vif.key, short(decision)]));
};

export const link = (name: string, more: Partial<KernelLink> = {}): KernelLink => ({
  name: linkNameOf(name),
  up: true,
  mtu: 1500,
  alias: undefined,
  attachment: undefined,
  foreign: undefined,
  wrongSettings: noWrongSettings,
  addresses: [],
  ...more,
});

export const kernelWith = (...links: KernelLink[]): KernelState => ({
  ...emptyKernel,
  links: new Map(links.map((listed) => [listed.name, listed])),
});
