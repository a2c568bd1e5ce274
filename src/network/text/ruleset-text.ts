/** The ruleset as `vifwatch export` prints it: the same text for the same rules, whatever order the kernel keeps. */

import { isPolicyChain } from '../policy/policy-chain.ts';
import {
  type Element,
  elementLink,
  isForwardMap,
  isVerdictMap,
  keyOfElement,
  setFamilies,
} from '../state/kernel-state.ts';
import { ingressLines, isIngress, type ListedIngress } from './ingress.ts';

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const elementLines = (element: Element): readonly string[] => {
  const { set, parts } = element;
  const [first, second, third] = parts;
  if (set === 'ingress') return ingressLines(element);
  if (isVerdictMap(set)) {
    return [`add element inet vifwatch ${set} { "${first}" : jump ${second} }`];
  }
  if (isForwardMap(set)) {
    return [`add element inet vifwatch ${set} { ${first} . ${second} : ${third} }`];
  }
  const isNamed = elementLink(element) !== undefined;
  const key = parts.map((part, index) => (isNamed && index === 0 ? `"${part}"` : part)).join(' . ');
  return [`add element ${setFamilies[set]} vifwatch ${set} { ${key} }`];
};

/** Chains of vifs, which nft lists in the order in which they came. */
const withoutIngress = (table: string): string =>
  table.replaceAll(/\n\tchain vif[^\n]* \{\n(?:\t\t[^\n]*\n)*\t\}\n/g, '');

const sorted = (elements: Iterable<Element>): Element[] =>
  [...elements].sort((a, b) => byText(keyOfElement(a), keyOfElement(b)));

/** nft joins what touches, but a set of one that comes of that it would not make so again. */
const withoutSetsOfOne = (chain: string): string =>
  chain.replaceAll(/"[^"]*"|\{ ([^{},"]+) \}/g, (text, only) => only ?? text);

/** The same for JSON, as the reviver of a parser. */
const onlyOf = (_key: string, value: unknown): unknown => {
  const items = (value as { set?: unknown } | null)?.set;
  return Array.isArray(items) && items.length === 1 ? items[0] : value;
};

/** The kernel keeps chains in the order in which they were made: those of policies get one of their own. */
const withSortedChains = (table: string): string => {
  const chains: string[] = [];
  const rest = table.replaceAll(
    /\n\tchain ((?:in|out)-\S+) \{\n(?:\t\t.*\n)*\t\}\n/g,
    (text, name) => {
      if (!isPolicyChain(name)) return text;
      chains.push(withoutSetsOfOne(text));
      return '';
    },
  );
  return rest.replace(/\}\s*$/, `${chains.sort(byText).join('')}}`);
};

/**
 * @param tables what `nft --stateless --terse list table …` printed @param elements those of the sets in them
 * @param ownerOf the VM behind an element, which a comment names
 */
export const rulesetText = (
  tables: readonly string[],
  elements: Iterable<Element>,
  ownerOf: (element: Element) => string | undefined,
): string => {
  const withOwner = (element: Element): string[] => {
    const owner = ownerOf(element);
    return elementLines(element).map((line) => (owner === undefined ? line : `${line} # ${owner}`));
  };
  return [
    '#!/usr/sbin/nft -f',
    ...tables.map((text) => withSortedChains(withoutIngress(text))),
    ...sorted(elements).flatMap(withOwner),
    '',
  ].join('\n');
};

type Listing = { readonly nftables: readonly Readonly<Record<string, unknown>>[] };

/** Handles and counts tell what ever was in the table: they are no part of the rules. */
const withoutHandle = (item: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(item).map(([kind, body]) => {
      const { handle: _, ...rest } = body as Record<string, unknown>;
      return [kind, kind === 'counter' ? { ...rest, packets: 0, bytes: 0 } : rest];
    }),
  );

type Item = Readonly<Record<string, unknown>>;

/** Whether it is in rules/ or of a policy; chains of vifs are added to the end, like all elements. */
const isRule = (item: Item): boolean => {
  if ('metainfo' in item) return false;
  const { chain, rule } = item as ListedIngress;
  return !isIngress(chain?.family, chain?.name) && !isIngress(rule?.family, rule?.chain);
};

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
  const sorted = (chosen: readonly Item[]) =>
    [...chosen].sort((a, b) => byText(chainOf(a) ?? '', chainOf(b) ?? ''));
  const others = items.filter((item) => chainOf(item) === undefined);
  return [...others, ...sorted(chains), ...sorted(rules)];
};

/** @param listings what `nft --json --stateless --terse list table …` printed @param additions transactions of elements */
export const rulesetJson = (listings: readonly string[], additions: string): string => {
  const items = listings.flatMap((text) => (JSON.parse(text, onlyOf) as Listing).nftables);
  const rules = sortChains(items.filter(isRule).map(withoutHandle));
  const elements = (JSON.parse(additions) as Listing).nftables;
  return `${JSON.stringify({ nftables: [...rules, ...elements] }, null, 2)}\n`;
};

/** In the order of the export. */
export const sortElements = sorted;
