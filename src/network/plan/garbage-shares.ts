/** Divides garbage into shares that can be removed one without the other. */

import { type Element, elementLink, elementPrefix, isPrefixOnly } from '../state/element.ts';
import type { Garbage, Plan } from './plan.ts';

/** Garbage with the addresses whose flows must be cut before its removal. */
export type GarbageShare = { readonly garbage: Garbage; readonly cut: readonly string[] };

/**
 * One share for what belongs to no link, one per link with what guards its addresses, and one per chain. A chain
 * can only be removed after the elements that jump to it, so the chains come last.
 */
export const sharesOf = ({ garbage, cut }: Pick<Plan, 'garbage' | 'cut'>): GarbageShare[] => {
  const holders = new Map<string, string>();
  for (const element of garbage.elements) {
    const prefix = elementPrefix(element);
    const link = elementLink(element);
    if (prefix !== undefined && link !== undefined) holders.set(prefix, link);
  }
  const ownerOf = (element: Element): string | undefined =>
    isPrefixOnly(element) ? holders.get(element.prefix) : elementLink(element);
  const byOwner = new Map<string, Element[]>();
  const others: Element[] = [];
  for (const element of garbage.elements) {
    const owner = ownerOf(element);
    if (owner === undefined) others.push(element);
    else byOwner.set(owner, [...(byOwner.get(owner) ?? []), element]);
  }
  return [
    ...(others.length === 0 ? [] : [{ garbage: { elements: others, chains: [] }, cut: [] }]),
    ...[...byOwner.values()].map((elements) => {
      const prefixes = new Set(elements.map(elementPrefix));
      return { garbage: { elements, chains: [] }, cut: cut.filter((text) => prefixes.has(text)) };
    }),
    ...garbage.chains.map((name) => ({ garbage: { elements: [], chains: [name] }, cut: [] })),
  ];
};
