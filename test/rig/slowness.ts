import { execa } from 'execa';

/** Milliseconds that it took to start a small program on the idle machine on which the bounds of the tests hold. */
const usualMs = 3.5;
const rounds = 15;

/**
 * How much longer programs take to start here and now than there, at least 1: what a test promises in milliseconds
 * is made of such starts, and holds on a slower or a busier machine as many times later.
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
