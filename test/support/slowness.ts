/** The machine's present slowness; all bounds of promises are multiplied by it. */
import assert from 'node:assert/strict';
import { execa } from 'execa';

/** Rounds of one measurement. */
const rounds = 15;

/**
 * Measures how many times longer an operation takes than usual; at least 1. It takes the median of `rounds`.
 * @param usual the usual result of `measure`, in the same unit
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

/** Milliseconds for `nft --version` on the idle machine where the promises were measured. */
const usualMs = 3.5;

/**
 * Measures how many times longer programs take to start now than on that machine; at least 1. Promises in
 * milliseconds consist mainly of program starts, so their bounds are multiplied by this factor.
 */
export const slowness = (): Promise<number> =>
  timesUsual(usualMs, async () => {
    const began = performance.now();
    await execa('nft', ['--version']);
    return performance.now() - began;
  });

export type Bound = {
  /**
   * Fails if `took` exceeds the promise multiplied by the machine's slowness: the larger of its values before
   * and after the measurement.
   */
  readonly assertKept: (took: number, what: string) => Promise<void>;
};

/**
 * Opens a bound before the measured operation.
 * @param promised the limit on the idle machine, in the unit of `took`
 * @param slownessNow measures the slowness of the place where the operation runs; by default this machine
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
