/** Selects the unwanted elements that can be removed now. */

import type { LinkName } from '../../address/link-name.ts';
import {
  type Element,
  elementLink,
  elementPrefix,
  isIngressChain,
  isPrefixOnly,
  keyOfElement,
} from '../state/element.ts';
import type { KernelState } from '../state/kernel-state.ts';
import type { Desired } from './desired.ts';

/** Whether an element must stay, as it guards a link in `links` or one of that link's addresses. */
const guardedBy = (links: ReadonlySet<LinkName>, { elements }: KernelState) => {
  const isUnder = (link: LinkName | undefined): boolean => link !== undefined && links.has(link);
  const prefixes = new Set<string | undefined>();
  for (const element of elements.values()) {
    if (isUnder(elementLink(element))) prefixes.add(elementPrefix(element));
  }
  return (element: Element): boolean =>
    isPrefixOnly(element) ? prefixes.has(element.prefix) : isUnder(elementLink(element));
};

type Circumstances = {
  /** Links that a step changes, or that are not closed yet. */
  readonly guarded: ReadonlySet<LinkName>;
  readonly desired: Pick<Desired, 'wants'>;
  readonly kernel: KernelState;
  readonly ingressMayPrecede: boolean;
};

/** The elements that can be removed now. @param excess elements that are not desired */
export const removableElements = (
  excess: readonly Element[],
  { guarded, desired, kernel, ingressMayPrecede }: Circumstances,
): readonly Element[] => {
  if (excess.length === 0) return [];
  const isGuarded = guardedBy(guarded, kernel);
  const isWanted = (element: Element): boolean => desired.wants(keyOfElement(element), element);
  // A broken ingress chain is repaired in place. On kernels where a chain cannot exist without its link, the
  // kernel deletes it with the link, and dom0 need not wait for that.
  const isLeft = (element: Element): boolean =>
    isIngressChain(element) && (!ingressMayPrecede || isWanted({ ...element, isBroken: false }));
  return excess.filter((element) => !isGuarded(element) && !isLeft(element));
};
