import { expect, test } from 'vitest';
import { runChild } from './run-child.ts';

test('the addon lists ingress qdiscs, hears of changes, and leaves no descriptor', async () => {
  const runner = ['unshare', '--net'];
  const outcome = await runChild('traffic-control', { env: {}, runner });
  const { wrong, before, after } = outcome as Readonly<Record<string, unknown>>;
  expect(wrong).toEqual([]);
  expect(after).toEqual(before);
});
