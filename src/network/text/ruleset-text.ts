/** The ruleset as `vifwatch export` prints it. Equal rules give an equal text, in any kernel order. */

import { byText } from '../../text/by-text.ts';
import { isPolicyChain } from '../policy/policy-chain.ts';
import {
  type Element,
  forwardTarget,
  isForward,
  isVerdict,
  keyFields,
  keyOfElement,
  type SetElement,
  setFamilies,
} from '../state/element.ts';
import { ingressLines, isIngress, type ListedIngress } from './ingress.ts';

/** The value to which a map's element maps its key. */
const valueText = (element: SetElement): string => {
  if (isVerdict(element)) return ` : jump ${element.chain ?? ''}`;
  return isForward(element) ? ` : ${forwardTarget(element)}` : '';
};

const elementLines = (element: Element): readonly string[] => {
  const { set } = element;
  if (set === 'ingress') return ingressLines(element);
  const [first, ...more] = keyFields(element);
  const key = ['link' in element ? `"${first}"` : first, ...more].join(' . ');
  return [`add element ${setFamilies[set]} vifwatch ${set} { ${key}${valueText(element)} }`];
};

/** Removes the vifs' ingress chains: nft lists them in the order of their creation. */
const withoutIngress = (table: string): string =>
  table.replaceAll(/\n\tchain vif[^\n]* \{\n(?:\t\t[^\n]*\n)*\t\}\n/g, '');

/** Sorts elements into the order of the export. */
export const sortElements = (elements: Iterable<Element>): Element[] =>
  [...elements].sort((a, b) => byText(keyOfElement(a), keyOfElement(b)));

/**
 * nft merges adjacent ranges and may print the result as a set with one item. It would load that text as a
 * plain value, so the text is normalised.
 */
const withoutSetsOfOne = (chain: string): string =>
  chain.replaceAll(/"[^"]*"|\{ ([^{},"]+) \}/g, (text, only) => only ?? text);

/** The same for JSON, as a reviver for JSON.parse. */
const onlyOf = (_key: string, value: unknown): unknown => {
  const items = (value as { set?: unknown } | null)?.set;
  return Array.isArray(items) && items.length === 1 ? items[0] : value;
};

/** Sorts policy chains by text, as the kernel lists them in the order of their creation. */
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
 * The export as text for `nft -f`.
 * @param tables outputs of `nft --stateless --terse list table …`
 * @param elements the sorted elements of their sets
 * @param ownerOf the VM behind an element; a comment in the text names it
 */
export const rulesetText = (
  tables: readonly string[],
  elements: readonly Element[],
  ownerOf: (element: Element) => string | undefined,
): string => {
  const withOwner = (element: Element): string[] => {
    const owner = ownerOf(element);
    return elementLines(element).map((line) => (owner === undefined ? line : `${line} # ${owner}`));
  };
  return [
    '#!/usr/sbin/nft -f',
    ...tables.map((text) => withSortedChains(withoutIngress(text))),
    ...elements.flatMap(withOwner),
    '',
  ].join('\n');
};

type Listing = { readonly nftables: readonly Readonly<Record<string, unknown>>[] };

/** Drops handles and counter values: they depend on the table's history and are not part of the rules. */
const withoutHandle = (item: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(item).map(([kind, body]) => {
      const { handle: _, ...rest } = body as Record<string, unknown>;
      return [kind, kind === 'counter' ? { ...rest, packets: 0, bytes: 0 } : rest];
    }),
  );

type Item = Readonly<Record<string, unknown>>;

/**
 * Whether the item belongs to rules/ or to a policy. The vifs' ingress chains follow at the end, with the
 * elements.
 */
const isRule = (item: Item): boolean => {
  if ('metainfo' in item) return false;
  const { chain, rule } = item as ListedIngress;
  return !isIngress(chain?.family, chain?.name) && !isIngress(rule?.family, rule?.chain);
};

/** The name of the policy chain that the item is or belongs to. */
const chainOf = (item: Item): string | undefined => {
  const { chain, rule } = item as { chain?: { name: string }; rule?: { chain: string } };
  const name = chain?.name ?? rule?.chain ?? '';
  return isPolicyChain(name) ? name : undefined;
};

/**
 * Sorts policy chains by name, all chains before all rules. The sort is stable: a chain's rules keep their
 * order.
 */
const sortChains = (items: readonly Item[]): readonly Item[] => {
  const ofPolicies = items.filter((item) => chainOf(item) !== undefined);
  const chains = ofPolicies.filter((item) => 'chain' in item);
  const rules = ofPolicies.filter((item) => 'rule' in item);
  const sorted = (chosen: readonly Item[]) =>
    [...chosen].sort((a, b) => byText(chainOf(a) ?? '', chainOf(b) ?? ''));
  const others = items.filter((item) => chainOf(item) === undefined);
  return [...others, ...sorted(chains), ...sorted(rules)];
};

/**
 * The export as JSON for `nft -j -f`.
 * @param listings outputs of `nft --json --stateless --terse list table …`
 * @param additions a transaction that adds the elements
 */
export const rulesetJson = (listings: readonly string[], additions: string): string => {
  const items = listings.flatMap((text) => (JSON.parse(text, onlyOf) as Listing).nftables);
  const rules = sortChains(items.filter(isRule).map(withoutHandle));
  const elements = (JSON.parse(additions) as Listing).nftables;
  return `${JSON.stringify({ nftables: [...rules, ...elements] }, null, 2)}\n`;
};
