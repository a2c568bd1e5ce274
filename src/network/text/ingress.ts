/** The netdev chain of a vif's link; it also sees frames that never reach the inet and arp hooks. */
import { reportedLinkName } from '../../address/link-name.ts';
import type { IngressChain } from '../state/element.ts';
import { ruleContent } from './rule-content.ts';

const table = { family: 'netdev', table: 'vifwatch' } as const;

/** Runs before the ingress chains of other tables at the usual priorities. */
const priority = -500;

const hook = { type: 'filter', hook: 'ingress', prio: priority, policy: 'accept' } as const;

/**
 * Commands that add the chain. The flush makes a repeated addition safe, and costs nothing the first time.
 */
export const ingressAddition = ({ link: chain }: IngressChain): readonly object[] => [
  { add: { chain: { ...table, name: chain, dev: chain, ...hook } } },
  { flush: { chain: { ...table, name: chain } } },
  { add: { rule: { ...table, chain, expr: [{ goto: { target: 'frames' } }] } } },
];

/** Commands that delete the chain. They add it first, since nft fails to delete a missing chain. */
export const ingressRemoval = ({ link: chain }: IngressChain): readonly object[] => [
  { add: { chain: { ...table, name: chain, dev: chain, ...hook } } },
  { delete: { chain: { ...table, name: chain } } },
];

/**
 * A transaction for `nft -c`: it is valid if a chain can exist before its link, which Linux 6.16 introduced.
 */
export const ingressProbe = (): string => {
  const link = reportedLinkName('vifwatch-probe');
  return JSON.stringify({ nftables: ingressAddition({ set: 'ingress', link, isBroken: false }) });
};

/** The chain as lines of a ruleset. */
export const ingressLines = ({ link: chain }: IngressChain): readonly string[] => [
  `add chain netdev vifwatch ${chain} { type filter hook ingress device "${chain}" priority ${priority}; policy accept; }`,
  `add rule netdev vifwatch ${chain} goto frames`,
];

/**
 * The fields of chains and rules in the output of `nft -j list table`; `dev` is a list for several devices.
 */
export type ListedIngress = {
  readonly chain?: {
    readonly family: string;
    readonly name: string;
    readonly dev?: string | readonly string[];
  };
  readonly rule?: {
    readonly family: string;
    readonly chain: string;
    readonly expr?: unknown;
  };
};

export const isIngress = (family: string | undefined, chain: string | undefined): boolean =>
  family === 'netdev' && chain?.startsWith('vif') === true;

const wholeRules = ruleContent([{ goto: { target: 'frames' } }]);

/** The ingress chains in a listing. nft 1.0.6 does not list the device; then it counts as correct. */
export const parseIngress = (items: readonly ListedIngress[]): readonly IngressChain[] => {
  const rules = new Map<string, string[]>();
  for (const { rule } of items) {
    if (rule?.family !== 'netdev') continue;
    rules.set(rule.chain, [...(rules.get(rule.chain) ?? []), ruleContent(rule.expr)]);
  }
  return items.flatMap(({ chain }): IngressChain[] => {
    if (chain === undefined || !isIngress(chain.family, chain.name)) return [];
    const { name, dev = name } = chain;
    const isWhole = [dev].flat().join() === name && rules.get(name)?.join() === wholeRules;
    return [{ set: 'ingress', link: reportedLinkName(name), isBroken: !isWhole }];
  });
};
