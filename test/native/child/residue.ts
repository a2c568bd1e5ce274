/** What connections take from the process besides memory. */
import { readdirSync } from 'node:fs';
import { until } from '../../support/until.ts';

export type Residue = { readonly threads: number; readonly descriptors: number };

export const residue = (): Residue => ({
  threads: readdirSync('/proc/self/task').length,
  descriptors: readdirSync('/proc/self/fd').length,
});

/** The residue once it is no more than before, or as it is when the wait for that has hung; collects garbage. */
export const settledResidue = async (before: Residue): Promise<Residue> => {
  let now = residue();
  const isSettled = (): boolean => {
    globalThis.gc?.();
    now = residue();
    return now.threads <= before.threads && now.descriptors <= before.descriptors;
  };
  await until('it is no more than before', isSettled).catch(() => undefined);
  return now;
};
