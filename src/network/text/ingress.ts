/** The netdev chain of a vif's link, which sees the frames that no other hook is asked about. */
import type { Element } from '../state/kernel-state.ts';

const table = { family: 'netdev', table: 'vifwatch' } as const;

/** Before everything else that may be there. */
const priority = -500;

const hook = { type: 'filter', hook: 'ingress', prio: priority, policy: 'accept' } as const;

/** Commands of a transaction; "flush" makes it the same chain however often it is added, and costs nothing the first time. */
export const ingressAddition = ({ parts: [chain = ''] }: Element): readonly object[] => [
  { add: { chain: { ...table, name: chain, dev: chain, ...hook } } },
  { flush: { chain: { ...table, name: chain } } },
  { add: { rule: { ...table, chain, expr: [{ goto: { target: 'frames' } }] } } },
];

/** Commands that take the chain away; it is added first, so that one already gone is no error. */
export const ingressRemoval = ({ parts: [chain = ''] }: Element): readonly object[] => [
  { add: { chain: { ...table, name: chain, dev: chain, ...hook } } },
  { delete: { chain: { ...table, name: chain } } },
];

/** A transaction that is valid, if checked, where a chain may stand before its link: since Linux 6.16. */
export const ingressProbe = (): string => {
  const probe: Element = { set: 'ingress', parts: ['vifwatch-probe'] };
  return JSON.stringify({ nftables: ingressAddition(probe) });
};

/** The same as lines of a ruleset. */
export const ingressLines = ({ parts: [chain] }: Element): readonly string[] => [
  `add chain netdev vifwatch ${chain} { type filter hook ingress device "${chain}" priority ${priority}; policy accept; }`,
  `add rule netdev vifwatch ${chain} goto frames`,
];

/** What `nft -j list table` prints of chains and rules; several devices are a list. */
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

const wholeRules = JSON.stringify([{ goto: { target: 'frames' } }]);

/** A chain without its one rule, or on another device (which nft 1.0.6 does not tell), is "broken": nobody wants such. */
export const parseIngress = (items: readonly ListedIngress[]): readonly Element[] => {
  const rules = new Map<string, string[]>();
  for (const { rule } of items) {
    if (rule?.family !== 'netdev') continue;
    rules.set(rule.chain, [...(rules.get(rule.chain) ?? []), JSON.stringify(rule.expr)]);
  }
  return items.flatMap(({ chain }): Element[] => {
    if (chain === undefined || !isIngress(chain.family, chain.name)) return [];
    const { name, dev = name } = chain;
    const isWhole = [dev].flat().join() === name && rules.get(name)?.join() === wholeRules;
    return [{ set: 'ingress', parts: isWhole ? [name] : [name, 'broken'] }];
  });
};
