/**
 * Writes nftables transactions as JSON (libnftables-json(5)), and reads elements and chains from JSON
 * listings.
 */

import { type Chain, isPolicyChain } from '../policy/policy-chain.ts';
import {
  type Element,
  isIngressChain,
  isVerdict,
  keyOfElement,
  type SetElement,
  type SetName,
  setFamilies,
} from '../state/element.ts';
import { type Firewall, keyed } from '../state/kernel-state.ts';
import { elementJson, parseElement } from './element-json.ts';
import { ingressAddition, ingressRemoval, type ListedIngress, parseIngress } from './ingress.ts';
import { ruleContent } from './rule-content.ts';

const table = 'vifwatch';

const command = (verb: 'add' | 'delete', set: SetName, elements: readonly SetElement[]) => ({
  [verb]: {
    element: { family: setFamilies[set], table, name: set, elem: elements.map(elementJson) },
  },
});

const perSet = (verb: 'add' | 'delete', elements: readonly Element[]) => {
  const ofSets = elements.filter((element) => !isIngressChain(element));
  return [...new Set(ofSets.map(({ set }) => set))].map((set) =>
    command(
      verb,
      set,
      ofSets.filter((element) => element.set === set),
    ),
  );
};

const chainJson = (name: string) => ({ chain: { family: 'inet', table, name } });

/** The commands that create the chain, or replace all its rules. */
const chainCommands = ({ name, rules }: Chain) => [
  { add: chainJson(name) },
  { flush: chainJson(name) },
  ...rules.map((rule) => ({ add: { rule: { family: 'inet', table, chain: name, ...rule } } })),
];

export type Additions = {
  readonly elements: readonly Element[];
  readonly chains: readonly Chain[];
  /** Old verdict map elements that new ones for the same link replace. */
  readonly replaced: readonly Element[];
};

/**
 * One transaction. It takes about 3 ms if it only adds; a deletion waits for an RCU grace period, some 16 ms.
 */
export const additions = ({ elements, chains, replaced }: Additions): string => {
  const byName = new Map(chains.map((chain) => [chain.name, chain]));
  const commands = [
    ...[...byName.values()].flatMap(chainCommands),
    ...perSet('delete', replaced),
    ...perSet('add', elements),
    ...elements.filter(isIngressChain).flatMap(ingressAddition),
  ];
  return JSON.stringify({ nftables: commands });
};

/** False for a verdict that vifwatch never writes: it can be deleted, but not added. */
const isAddable = (element: Element): boolean => !isVerdict(element) || element.chain !== undefined;

/**
 * One transaction that deletes. It adds each element and chain first, since nft fails to delete a missing
 * one.
 */
export const deletions = (elements: readonly Element[], chains: readonly string[]): string =>
  JSON.stringify({
    nftables: [
      ...chains.map((name) => ({ add: chainJson(name) })),
      ...perSet('add', elements.filter(isAddable)),
      ...perSet('delete', elements),
      ...elements.filter(isIngressChain).flatMap(ingressRemoval),
      ...chains.flatMap((name) => [{ flush: chainJson(name) }, { delete: chainJson(name) }]),
    ],
  });

type ListedSet = { readonly name: string; readonly elem?: readonly unknown[] };
type Listed = ListedIngress & {
  readonly metainfo?: { readonly version: string };
  readonly set?: ListedSet;
  readonly map?: ListedSet;
};

/**
 * Reads elements and policy chains from listings of vifwatch's tables, as `nft -j list table …` prints them.
 */
export const parseFirewall = (listings: readonly string[]): Firewall => {
  const items = listings.flatMap(
    (text) => (JSON.parse(text) as { nftables: readonly Listed[] }).nftables,
  );
  const sets = items.flatMap(({ set, map }) => set ?? map ?? []);
  const elements = sets
    .filter(({ name }) => Object.hasOwn(setFamilies, name))
    .flatMap(({ name, elem = [] }) =>
      elem.flatMap((listed) => parseElement(name as SetName, listed) ?? []),
    );
  const chains = new Map<string, number>();
  const contents = new Map<string, string>();
  for (const { chain, rule } of items) {
    if (chain !== undefined && isPolicyChain(chain.name)) chains.set(chain.name, 0);
    if (rule === undefined) continue;
    const count = chains.get(rule.chain);
    if (count === undefined) continue;
    chains.set(rule.chain, count + 1);
    contents.set(rule.chain, `${contents.get(rule.chain) ?? ''}${ruleContent(rule.expr)}`);
  }
  return {
    elements: keyed([...elements, ...parseIngress(items)], keyOfElement),
    chains,
    contents,
    nftVersion: items.find(({ metainfo }) => metainfo !== undefined)?.metainfo?.version ?? '',
  };
};
