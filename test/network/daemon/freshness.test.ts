/** Whether knowledge is current, before, while and after it is observed. */
import { expect, test } from 'vitest';
import { openFreshness } from '../../../src/network/daemon/freshness.ts';

test('knowledge is current after an observation, until it is invalidated', async () => {
  const freshness = openFreshness();
  expect(freshness.isCurrent()).toBe(false);
  await freshness.observe(async () => {});
  expect(freshness.isCurrent()).toBe(true);
  freshness.invalidate();
  expect(freshness.isCurrent()).toBe(false);
});

test('an invalidation during an observation leaves the knowledge invalid', async () => {
  const freshness = openFreshness();
  await freshness.observe(async () => freshness.invalidate());
  expect(freshness.isCurrent()).toBe(false);
});

test('an observation that fails leaves the knowledge invalid', async () => {
  const freshness = openFreshness();
  const failing = freshness.observe(() => Promise.reject(new Error('nft failed')));
  await expect(failing).rejects.toThrow('nft failed');
  expect(freshness.isCurrent()).toBe(false);
});

test('a change of the daemon is verified by an observation that begins after it', async () => {
  const freshness = openFreshness();
  await freshness.observe(async () => freshness.verifyLater());
  expect([freshness.isCurrent(), freshness.isToBeVerified()]).toEqual([true, true]);
  await freshness.observe(async () => {});
  expect(freshness.isToBeVerified()).toBe(false);
});
