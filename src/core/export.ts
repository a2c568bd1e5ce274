/** The ruleset as `vifwatch export` prints it: the same text for the same rules, whatever order the kernel keeps. */
import { ingressLines, isIngress, type ListedIngress } from './ingress.ts';
import { type Element, elementLink, keyOfElement, setFamilies } from './kernel-state.ts';

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const elementLines = (element: Element): readonly string[] => {
  const { set, parts } = element;
  if (set === 'ingress') return ingressLines(element);
  const isNamed = elementLink(element) !== undefined;
  const key = parts.map((part, index) => (isNamed && index === 0 ? `"${part}"` : part)).join(' . ');
  return [`add element ${setFamilies[set]} vifwatch ${set} { ${key} }`];
};

/** Chains of vifs, which nft lists in the order in which they came. */
const withoutIngress = (table: string): string =>
  table.replaceAll(/\n\tchain vif[^\n]* \{\n(?:\t\t[^\n]*\n)*\t\}\n/g, '');

const sorted = (elements: Iterable<Element>): Element[] =>
  [...elements].sort((a, b) => byText(keyOfElement(a), keyOfElement(b)));

/** @param tables what `nft --stateless --terse list table …` printed @param elements those of the sets in them */
export const exportText = (tables: readonly string[], elements: Iterable<Element>): string =>
  [
    '#!/usr/sbin/nft -f',
    ...tables.map((text) => withoutIngress(text).trimEnd()),
    ...sorted(elements).flatMap(elementLines),
    '',
  ].join('\n');

type Listing = { readonly nftables: readonly Readonly<Record<string, unknown>>[] };

/** Whether it is in rules/vifwatch.nft; chains of vifs are added to the end, like all elements. */
const isStatic = (item: Listing['nftables'][number]): boolean => {
  if ('metainfo' in item) return false;
  const { chain, rule } = item as ListedIngress;
  return !isIngress(chain?.family, chain?.name) && !isIngress(rule?.family, rule?.chain);
};

/** Handles and counts tell what ever was in the table: they are no part of the rules. */
const withoutHandle = (item: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(item).map(([kind, body]) => {
      const { handle: _, ...rest } = body as Record<string, unknown>;
      return [kind, kind === 'counter' ? { ...rest, packets: 0, bytes: 0 } : rest];
    }),
  );

/** @param listings what `nft --json --stateless --terse list table …` printed @param additions transactions of elements */
export const exportJson = (listings: readonly string[], additions: string): string => {
  const items = listings.flatMap((text) => (JSON.parse(text) as Listing).nftables);
  const rules = items.filter(isStatic).map(withoutHandle);
  const elements = (JSON.parse(additions) as Listing).nftables;
  return `${JSON.stringify({ nftables: [...rules, ...elements] }, null, 2)}\n`;
};

/** In the order of the export. */
export const sortElements = sorted;
