/**
 * The content of policies' chains as the daemon wrote or first observed it. A chain is named by its content, so
 * another program is at fault if the content changes.
 */
import type { Chain } from '../policy/policy-chain.ts';
import type { ChainState, Firewall } from '../state/kernel-state.ts';
import { ruleContent } from '../text/rule-content.ts';

export type ChainFingerprints = {
  /** Records what the daemon has written into chains. */
  readonly written: (chains: readonly Chain[]) => void;
  /** Forgets the content of chains that the daemon has removed. */
  readonly forget: (names: Iterable<string>) => void;
  /** Compares the chains with their known content. */
  readonly statesOf: (
    observed: Pick<Firewall, 'chains' | 'contents' | 'nftVersion'>,
  ) => ReadonlyMap<string, ChainState>;
};

const contentOf = ({ rules }: Chain): string => rules.map(({ expr }) => ruleContent(expr)).join('');

export const openChainFingerprints = (): ChainFingerprints => {
  const asWritten = new Map<string, string>();
  const fingerprints = new Map<string, string>();
  let knownVersion: string | undefined;

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
    statesOf: ({ chains, contents, nftVersion }) => {
      // A chain that looks different after an upgrade of nft has not changed.
      if (nftVersion !== knownVersion) fingerprints.clear();
      knownVersion = nftVersion;
      const stateOf = (name: string, rules: number): ChainState =>
        isUnchanged(name, contents.get(name) ?? '') ? rules : 'changed';
      return new Map([...chains].map(([name, rules]) => [name, stateOf(name, rules)]));
    },
  };
};
