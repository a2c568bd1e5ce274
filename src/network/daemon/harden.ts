/** Hardens links before they are set up. */

import { messageOf, type Problem } from '../../errors.ts';
import type { Network } from '../kernel/network.ts';
import type { BringUp } from '../plan/desired.ts';

type Hardened = { readonly served: Pick<BringUp['served'], 'link' | 'prefixes'> };

/** Writes the sysctls of all links; returns the links for which the kernel refused a value. */
export const harden = <T extends Hardened>(
  openings: readonly T[],
  { hardenVif }: Pick<Network, 'hardenVif'>,
): ReadonlyMap<T, Problem> => {
  const problems = new Map<T, Problem>();
  for (const opening of openings) {
    const { link, prefixes } = opening.served;
    const hasIpv6 = prefixes.some(({ family }) => family === 6);
    try {
      hardenVif(link, hasIpv6);
    } catch (error) {
      problems.set(opening, { code: 'LINK_FAILED', text: messageOf(error) });
    }
  }
  return problems;
};
