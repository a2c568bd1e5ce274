/** The ruleset as `vifwatch export` prints it: the same text for the same rules, whatever order the kernel keeps. */

import {
  type Element,
  familyOf,
  isForwardMap,
  isVerdictMap,
  keyOfElement,
} from './kernel-state.ts';
import { isPolicyChain } from './policy-chain.ts';

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const isName = (set: string, index: number): boolean => index === 0 || set === 'uplink';

const elementLine = ({ set, parts }: Element): string => {
  if (isVerdictMap(set)) {
    return `add element inet vifwatch ${set} { "${parts[0]}" : jump ${parts[1]} }`;
  }
  if (isForwardMap(set)) {
    return `add element inet vifwatch ${set} { ${parts[0]} . ${parts[1]} : ${parts[2]} }`;
  }
  const key = parts.map((part, index) => (isName(set, index) ? `"${part}"` : part)).join(' . ');
  return `add element ${familyOf(set)} vifwatch ${set} { ${key} }`;
};

const sorted = (elements: Iterable<Element>): Element[] =>
  [...elements].sort((a, b) => byText(keyOfElement(a), keyOfElement(b)));

/** The kernel keeps chains in the order in which they were made: those of policies get one of their own. */
const withSortedChains = (table: string): string => {
  const chains: string[] = [];
  const rest = table.replaceAll(
    /\n\tchain ((?:in|out)-\S+) \{\n(?:\t\t.*\n)*\t\}\n/g,
    (text, name) => {
      if (!isPolicyChain(name)) return text;
      chains.push(text);
      return '';
    },
  );
  return rest.replace(/\}\s*$/, `${chains.sort(byText).join('')}}`);
};

/** @param tables what `nft --stateless --terse list table …` printed @param elements those of the sets in them */
export const exportText = (tables: readonly string[], elements: Iterable<Element>): string =>
  [
    '#!/usr/sbin/nft -f',
    ...tables.map(withSortedChains),
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

type Item = Readonly<Record<string, unknown>>;

/** The policy's chain that an item is or belongs to. */
const chainOf = (item: Item): string | undefined => {
  const { chain, rule } = item as { chain?: { name: string }; rule?: { chain: string } };
  const name = chain?.name ?? rule?.chain ?? '';
  return isPolicyChain(name) ? name : undefined;
};

/** The sort is stable: a chain's rules keep their order, and all chains come before any rule. */
const sortChains = (items: readonly Item[]): readonly Item[] => {
  const ofPolicies = items.filter((item) => chainOf(item) !== undefined);
  const chains = ofPolicies.filter((item) => 'chain' in item);
  const rules = ofPolicies.filter((item) => 'rule' in item);
  const sorted = (some: readonly Item[]) =>
    [...some].sort((a, b) => byText(chainOf(a) ?? '', chainOf(b) ?? ''));
  const others = items.filter((item) => chainOf(item) === undefined);
  return [...others, ...sorted(chains), ...sorted(rules)];
};

/** @param listings what `nft --json --stateless --terse list table …` printed @param additions transactions of elements */
export const exportJson = (listings: readonly string[], additions: string): string => {
  const items = listings.flatMap((text) => (JSON.parse(text) as Listing).nftables);
  const rules = sortChains(items.filter((item) => !('metainfo' in item)).map(withoutHandle));
  const elements = (JSON.parse(additions) as Listing).nftables;
  return `${JSON.stringify({ nftables: [...rules, ...elements] }, null, 2)}\n`;
};

/** In the order of the export. */
export const sortElements = sorted;
