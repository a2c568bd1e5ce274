/** The brand of a link's name holds only texts that the kernel accepts, and that nft takes literally. */
import { expect, test } from 'vitest';
import { isLinkName } from '../../src/address/link-name.ts';

test.each(['eth0', 'vif3.0', 'a'.repeat(15), 'é'.repeat(7)])('%s is a name', (text) => {
  expect(isLinkName(text)).toBe(true);
});

test.each(['', 'a'.repeat(16), 'é'.repeat(8), 'a b', 'a/b', 'a"b', 'eth*', 'a\0'])(
  '%j is not a name',
  (text) => {
    expect(isLinkName(text)).toBe(false);
  },
);
