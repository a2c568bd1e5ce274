import { beforeEach, expect, test } from 'vitest';
import {
  type ChainFingerprints,
  openChainFingerprints,
} from '../../../src/network/daemon/chain-fingerprints.ts';
import type { ChainState } from '../../../src/network/state/kernel-state.ts';
import { ruleContent } from '../../../src/network/text/rule-content.ts';

const accept = [{ accept: null }];
const chain = { name: 'out-web-0123456789ab', rules: [{ expr: accept }] };

let fingerprints: ChainFingerprints;
beforeEach(() => {
  fingerprints = openChainFingerprints();
});

const observed = (content: string, nftVersion = '1.0.6'): ChainState | undefined =>
  fingerprints
    .statesOf({
      chains: new Map([[chain.name, 1]]),
      contents: new Map([[chain.name, content]]),
      nftVersion,
    })
    .get(chain.name);

test('a chain that another program changes is seen as changed, and the rewritten one as unchanged', () => {
  fingerprints.written([chain]);
  expect(observed(ruleContent(accept))).toBe(1);
  expect(observed('changed')).toBe('changed');
  fingerprints.written([chain]);
  expect(observed('changed again')).toBe('changed');
  expect(observed(ruleContent(accept))).toBe(1);
});

test('a chain that another program changes before its first observation is repaired for good', () => {
  fingerprints.written([chain]);
  expect(observed('changed at once')).toBe(1);
  expect(observed('changed again')).toBe('changed');
  fingerprints.written([chain]);
  expect(observed(ruleContent(accept))).toBe(1);
  expect(observed('changed at once')).toBe('changed');
});

test('a chain that nft lists in another form is measured by its first observation', () => {
  fingerprints.written([chain]);
  expect(observed('another form')).toBe(1);
  fingerprints.written([chain]);
  expect(observed('another form')).toBe(1);
  expect(observed('changed')).toBe('changed');
});

test('a chain that was removed and is there again is measured anew', () => {
  fingerprints.written([chain]);
  observed('one form');
  fingerprints.forget([chain.name]);
  expect(observed('another form')).toBe(1);
});

test('a chain that an upgraded nft lists in another form has not changed', () => {
  fingerprints.written([chain]);
  expect(observed(ruleContent(accept))).toBe(1);
  expect(observed('the same rule in another form', '1.1.4')).toBe(1);
  expect(observed('changed', '1.1.4')).toBe('changed');
});
