/** The brand of a domid holds only numbers that a domain can have. */
import { expect, test } from 'vitest';
import { parseDomid } from '../../src/address/domid.ts';

test.each([
  ['0', 0],
  ['7', 7],
  ['32751', 32751],
])('%s is a domid', (text, domid) => {
  expect(parseDomid(text)).toBe(domid);
});

test.each([undefined, '', '01', '-1', '1.0', '1e3', ' 1', '32752', '100000'])(
  '%j is not a domid',
  (text) => {
    expect(parseDomid(text)).toBeUndefined();
  },
);
