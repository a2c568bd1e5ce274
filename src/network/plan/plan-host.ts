/** Plans what belongs to no vif. */

import { overlaps, type Prefix, parsePrefix } from '../../address/prefix.ts';
import type { Chain } from '../policy/policy-chain.ts';
import { type Element, type ForwardElement, isForward, keyOfElement } from '../state/element.ts';
import type { Planning } from './desired.ts';

/** Elements and chains to add that belong to no vif. */
export type HostPlan = { readonly elements: readonly Element[]; readonly chains: readonly Chain[] };

const networkOf = (element: Element): Prefix | undefined => {
  if (element.set !== 'vm_network4' && element.set !== 'vm_network6') return undefined;
  const prefix = parsePrefix(element.prefix);
  return 'problem' in prefix ? undefined : prefix;
};

/**
 * Plans the elements and chains that the host lacks. Some elements must wait until garbage collection has
 * removed an old one: a forwarded port that still has another target, and a network that overlaps a stale
 * network.
 */
export const planHost = ({ hostElements, kept, kernel, current }: Planning): HostPlan => {
  if (!current.elements) return { elements: [], chains: [] };
  const portOf = ({ set, proto, port }: ForwardElement): string => `${set} ${proto} ${port}`;
  const taken = new Set<string>();
  const wanted = new Set(hostElements.map(keyOfElement));
  const stale: Prefix[] = [];
  kernel.elements.forEach((element, key) => {
    if (isForward(element)) taken.add(portOf(element));
    const network = wanted.has(key) ? undefined : networkOf(element);
    if (network !== undefined) stale.push(network);
  });
  const mustWait = (element: Element): boolean => {
    if (isForward(element)) return taken.has(portOf(element));
    const network = networkOf(element);
    return network !== undefined && stale.some((prefix) => overlaps(prefix, network));
  };
  return {
    elements: hostElements.filter(
      (element) => !kernel.elements.has(keyOfElement(element)) && !mustWait(element),
    ),
    chains: [kept.out, kept.in].filter(
      ({ name, rules }) => kernel.chains.get(name) !== rules.length,
    ),
  };
};
