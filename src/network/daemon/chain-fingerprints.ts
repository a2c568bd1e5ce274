/**
 * The content of policies' chains as the daemon first observed it. A chain is named by its content, so
 * another program is at fault if the content changes.
 */
import type { Firewall } from '../state/kernel-state.ts';

export type ChainFingerprints = {
  /** Forgets the content of chains that the daemon has removed or written. */
  readonly forget: (names: Iterable<string>) => void;
  /** The number of rules in each chain; -1 for a chain that another program changed. */
  readonly countRules: (
    observed: Pick<Firewall, 'chains' | 'contents'>,
  ) => ReadonlyMap<string, number>;
};

export const openChainFingerprints = (): ChainFingerprints => {
  const fingerprints = new Map<string, string>();
  return {
    forget: (names) => {
      for (const name of names) fingerprints.delete(name);
    },
    countRules: ({ chains, contents }) => {
      const counted = [...chains].map(([name, rules]): [string, number] => {
        const now = contents.get(name) ?? '';
        const before = fingerprints.get(name) ?? now;
        fingerprints.set(name, before);
        return [name, before === now ? rules : -1];
      });
      return new Map(counted);
    },
  };
};
