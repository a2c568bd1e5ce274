/**
 * The content of policies' chains as the daemon wrote or first observed it. A chain is named by its content, so
 * another program is at fault if the content changes.
 */
import type { Chain } from '../policy/policy-chain.ts';
import type { Firewall } from '../state/kernel-state.ts';
import { ruleContent } from '../text/rule-content.ts';

export type ChainFingerprints = {
  /** Records what the daemon has written into chains. */
  readonly written: (chains: readonly Chain[]) => void;
  /** Forgets the content of chains that the daemon has removed. */
  readonly forget: (names: Iterable<string>) => void;
  /** The number of rules in each chain; -1 for a chain that another program changed. */
  readonly countRules: (
    observed: Pick<Firewall, 'chains' | 'contents'>,
  ) => ReadonlyMap<string, number>;
};

const contentOf = ({ rules }: Chain): string => rules.map(({ expr }) => ruleContent(expr)).join('');

export const openChainFingerprints = (): ChainFingerprints => {
  const asWritten = new Map<string, string>();
  const fingerprints = new Map<string, string>();

  const isUnchanged = (name: string, now: string): boolean => {
    const before = fingerprints.get(name);
    // Another program may have changed the chain before the daemon first observed it. nft lists some rules in
    // another form than it reads: then only the first observation can be the measure.
    if (before !== undefined && now !== asWritten.get(name)) return now === before;
    fingerprints.set(name, now);
    return true;
  };

  return {
    written: (chains) => {
      for (const chain of chains) asWritten.set(chain.name, contentOf(chain));
    },
    forget: (names) => {
      for (const name of names) {
        asWritten.delete(name);
        fingerprints.delete(name);
      }
    },
    countRules: ({ chains, contents }) => {
      const counted = [...chains].map(([name, rules]): [string, number] => {
        return [name, isUnchanged(name, contents.get(name) ?? '') ? rules : -1];
      });
      return new Map(counted);
    },
  };
};
