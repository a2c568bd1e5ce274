/** The daemon's knowledge of the kernel, between its observations and its own changes. */
import { expect, test } from 'vitest';
import { openObservedState } from '../../../src/network/daemon/observed-state.ts';
import type { Network } from '../../../src/network/kernel/network.ts';
import type { Backend } from '../../../src/network/store/backend.ts';

const chain = { name: 'out-web-0123456789ab', rules: [{ expr: [] }, { expr: [] }] };
const written = { elements: [], chains: [chain], replaced: [] };

test('a chain that another program changes before its first observation is repaired once', async () => {
  let content = '';
  const observe = async () => ({
    elements: new Map(),
    chains: new Map([[chain.name, chain.rules.length]]),
    contents: new Map([[chain.name, content]]),
  });
  const network = { nft: { observe } } as unknown as Network;
  const state = openObservedState({ network, backend: {} as Backend }, () => undefined);
  const rulesSeen = async (text: string): Promise<number | undefined> => {
    content = text;
    state.invalidateElements();
    await state.observeElements();
    return state.kernel().chains.get(chain.name);
  };
  state.added(written);
  expect(await rulesSeen('changed at once')).toBe(2);
  expect(await rulesSeen('changed again')).toBe(-1);
  state.added(written);
  expect(await rulesSeen('as written')).toBe(2);
  expect(await rulesSeen('changed again')).toBe(-1);
});
