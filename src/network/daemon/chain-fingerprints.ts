/** Policies' chains as they were when we first saw them. A chain is named by its content: nobody has anything to change. */
import type { Firewall } from '../state/kernel-state.ts';

export type ChainFingerprints = {
  /** The daemon has removed or written these chains. */
  readonly forget: (names: Iterable<string>) => void;
  /** How many rules each chain has; -1 for one that somebody changed. */
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
