/** How slow this machine is just now; all bounds of promises are multiples of it. */
import assert from 'node:assert/strict';
import { execa } from 'execa';

/** Milliseconds that `nft --version` takes on the idle machine on which the promises were measured. */
const usualMs = 3.5;
const rounds = 15;

/**
 * How much longer programs take to start here and now than on that machine, at least 1. Promises in milliseconds are
 * made of such starts: on a slower or a busier machine they hold as many times later.
 */
export const slowness = async (): Promise<number> => {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now();
    await execa('nft', ['--version']);
    times.push(performance.now() - began);
  }
  const median = times.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
  return Math.max(1, median / usualMs);
};

export type Bound = {
  /**
   * Fails if the promise was broken, also when the machine's slowness is taken into account: the larger of what it
   * was before and is after.
   */
  readonly assertKept: (took: number, what: string) => Promise<void>;
};

/**
 * Opens a bound before the thing that is measured happens.
 * @param promised in milliseconds of time or in seconds of processor time, on the idle machine
 */
export const openBound = async (promised: number): Promise<Bound> => {
  const before = await slowness();
  return {
    assertKept: async (took, what) => {
      if (took < promised) return;
      const factor = Math.max(before, await slowness());
      const bound = promised * factor;
      assert.ok(took < bound, `${what}: ${took} of ${bound} (${promised} x ${factor.toFixed(1)})`);
    },
  };
};
