/** What connections take from the process besides memory. */
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export type Residue = { readonly threads: number; readonly descriptors: number };

export const residue = (): Residue => ({
  threads: readdirSync('/proc/self/task').length,
  descriptors: readdirSync('/proc/self/fd').length,
});

/** The residue once it is no more than before, or as it is after 10 s; collects garbage. */
export const settledResidue = async (before: Residue): Promise<Residue> => {
  for (let i = 0; i < 500; i++) {
    globalThis.gc?.();
    const now = residue();
    if (now.threads <= before.threads && now.descriptors <= before.descriptors) return now;
    await delay(20);
  }
  return residue();
};
