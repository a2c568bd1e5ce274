/** Which of the elements that nobody asks for may go now. */

import {
  type Element,
  elementAddress,
  elementLink,
  isAddressOnly,
  type KernelState,
  keyOfElement,
} from '../state/kernel-state.ts';
import type { Desired } from './desired.ts';

/** Whether an element must stay for the links that are still to be closed, or the addresses under them. */
const guardedBy = (links: ReadonlySet<string>, { elements }: KernelState) => {
  const isUnder = (link: string | undefined): boolean => link !== undefined && links.has(link);
  const addresses = new Set<string | undefined>();
  for (const element of elements.values()) {
    if (isUnder(elementLink(element))) addresses.add(elementAddress(element));
  }
  return (element: Element): boolean =>
    isAddressOnly(element) ? addresses.has(element.parts[0]) : isUnder(elementLink(element));
};

type Circumstances = {
  /** Links that are under change, or still to be closed. */
  readonly guarded: ReadonlySet<string>;
  readonly desired: Pick<Desired, 'wants'>;
  readonly kernel: KernelState;
  readonly ingressMayPrecede: boolean;
};

/** @param excess elements that are not desired */
export const removableElements = (
  excess: readonly Element[],
  { guarded, desired, kernel, ingressMayPrecede }: Circumstances,
): readonly Element[] => {
  if (excess.length === 0) return [];
  const isGuarded = guardedBy(guarded, kernel);
  const isWanted = (element: Element): boolean => desired.wants(keyOfElement(element), element);
  // A chain that is broken is repaired where it is; and where it cannot be without its link, it goes with it, for
  // which dom0 need not wait.
  const isLeft = ({ set, parts: [link = ''] }: Element): boolean =>
    set === 'ingress' && (!ingressMayPrecede || isWanted({ set, parts: [link] }));
  return excess.filter((element) => !isGuarded(element) && !isLeft(element));
};
