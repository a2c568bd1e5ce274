/** How slow this machine is just now; all bounds of promises are multiples of it. */
import assert from 'node:assert/strict';
import { execa } from 'execa';

/** Rounds of one measurement. */
const rounds = 15;

/**
 * How many times longer something takes than usual, at least 1: the median of some rounds.
 * @param usual in the unit of what `measure` resolves with
 */
export const timesUsual = async (
  usual: number,
  measure: () => Promise<number>,
): Promise<number> => {
  const measured: number[] = [];
  while (measured.length < rounds) measured.push(await measure());
  const median = measured.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
  return Math.max(1, median / usual);
};

/** Milliseconds that `nft --version` takes on the idle machine on which the promises were measured. */
const usualMs = 3.5;

/**
 * How much longer programs take to start here and now than on that machine, at least 1. Promises in milliseconds are
 * made of such starts: on a slower or a busier machine they hold as many times later.
 */
export const slowness = (): Promise<number> =>
  timesUsual(usualMs, async () => {
    const began = performance.now();
    await execa('nft', ['--version']);
    return performance.now() - began;
  });

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
 * @param slownessNow of whatever does the work, if that is not this machine itself
 */
export const openBound = async (promised: number, slownessNow = slowness): Promise<Bound> => {
  const before = await slownessNow();
  return {
    assertKept: async (took, what) => {
      if (took < promised) return;
      const factor = Math.max(before, await slownessNow());
      const bound = promised * factor;
      assert.ok(took < bound, `${what}: ${took} of ${bound} (${promised} x ${factor.toFixed(1)})`);
    },
  };
};
