/** Policies' chains as they were when we first saw them: nobody but us has anything to change in them. */
import type { Firewall } from '../core/kernel-state.ts';

export type ChainMemory = {
  /** They are new, or gone. */
  readonly forget: (names: Iterable<string>) => void;
  /** How many rules each chain has; -1 for one that somebody else changed. */
  readonly judge: (observed: Pick<Firewall, 'chains' | 'contents'>) => ReadonlyMap<string, number>;
};

export const openChainMemory = (): ChainMemory => {
  const known = new Map<string, string>();
  return {
    forget: (names) => {
      for (const name of names) known.delete(name);
    },
    judge: ({ chains, contents }) => {
      for (const name of known.keys()) if (!chains.has(name)) known.delete(name);
      const judged = [...chains].map(([name, rules]): [string, number] => {
        const now = contents.get(name) ?? '';
        const before = known.get(name) ?? now;
        known.set(name, before);
        return [name, before === now ? rules : -1];
      });
      return new Map(judged);
    },
  };
};
