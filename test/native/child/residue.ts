/** The threads and descriptors that connections occupy in a process. */
import { readdirSync } from 'node:fs';
import { until } from '../../support/until.ts';

export type Residue = { readonly threads: number; readonly descriptors: number };

/** Counts this process's threads and descriptors. */
export const residue = (): Residue => ({
  threads: readdirSync('/proc/self/task').length,
  descriptors: readdirSync('/proc/self/fd').length,
});

/**
 * Collects garbage until the residue is no more than `before`; gives the residue then, or the residue when
 * the wait has timed out.
 */
export const settledResidue = async (before: Residue): Promise<Residue> => {
  let now = residue();
  const isSettled = (): boolean => {
    globalThis.gc?.();
    now = residue();
    return now.threads <= before.threads && now.descriptors <= before.descriptors;
  };
  await until('the residue is no more than before', isSettled).catch(() => undefined);
  return now;
};
