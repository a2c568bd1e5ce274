/** The ruleset as `vifwatch export` prints it: the same text for the same rules, whatever order the kernel keeps. */
import { type Element, familyOf, isVerdictMap, keyOfElement } from './kernel-state.ts';

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const isName = (set: string, index: number): boolean => index === 0 && set !== 'forward4';

const elementLine = ({ set, parts }: Element): string => {
  if (isVerdictMap(set)) {
    return `add element inet vifwatch ${set} { "${parts[0]}" : jump ${parts[1]} }`;
  }
  if (set === 'forward4') {
    const [proto, port, to, toPort] = parts;
    return `add element inet vifwatch forward4 { ${proto} . ${port} : ${to} . ${toPort} }`;
  }
  const key = parts.map((part, index) => (isName(set, index) ? `"${part}"` : part)).join(' . ');
  return `add element ${familyOf(set)} vifwatch ${set} { ${key} }`;
};

const sorted = (elements: Iterable<Element>): Element[] =>
  [...elements].sort((a, b) => byText(keyOfElement(a), keyOfElement(b)));

/** @param tables what `nft --stateless --terse list table …` printed @param elements those of the sets in them */
export const exportText = (tables: readonly string[], elements: Iterable<Element>): string =>
  [
    '#!/usr/sbin/nft -f',
    ...tables.map((text) => text.trimEnd()),
    ...sorted(elements).map(elementLine),
    '',
  ].join('\n');

type Listing = { readonly nftables: readonly Readonly<Record<string, unknown>>[] };

/** Handles count what ever was in the table: they are no part of the rules. */
const withoutHandle = (item: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(item).map(([kind, body]) => {
      const { handle: _, ...rest } = body as Record<string, unknown>;
      return [kind, rest];
    }),
  );

/** @param listings what `nft --json --stateless --terse list table …` printed @param additions transactions of elements */
export const exportJson = (listings: readonly string[], additions: string): string => {
  const items = listings.flatMap((text) => (JSON.parse(text) as Listing).nftables);
  const rules = items.filter((item) => !('metainfo' in item)).map(withoutHandle);
  const elements = (JSON.parse(additions) as Listing).nftables;
  return `${JSON.stringify({ nftables: [...rules, ...elements] }, null, 2)}\n`;
};

/** In the order of the export. */
export const sortElements = sorted;
