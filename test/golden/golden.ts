/**
 * Golden files: what others read of vifwatch, byte for byte. A test that fails says that a promise was broken; only a
 * change that is meant, and told in the CHANGELOG, may write a file anew (`vitest run --update`).
 */
import { expect } from 'vitest';

/** The program as it is delivered. */
export const main = new URL('../../dist/main.js', import.meta.url).pathname;

/** Compares with the file of that name beside this one. */
export const expectGolden = (name: string, lines: readonly string[]): Promise<void> =>
  expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`./${name}.golden`);
