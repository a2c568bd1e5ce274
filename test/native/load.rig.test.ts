import { expect, test } from 'vitest';
import { netVm, own, startDomains } from './domains.ts';
import { runChild } from './run-child.ts';

test('thousands of requests at once are answered in their order', async () => {
  const { open } = await startDomains('xenstored');
  const xenstore = open(netVm);
  await Promise.all(Array.from({ length: 10 }, (_, i) => xenstore.write(`${own}/${i}`, `${i}`)));
  const order: number[] = [];
  const reads = Array.from({ length: 5000 }, async (_, i) => {
    const value = await xenstore.read(`${own}/${i % 10}`);
    order.push(i);
    return Number(value);
  });
  expect(await Promise.all(reads)).toEqual(reads.map((_, i) => i % 10));
  expect(order).toEqual(reads.map((_, i) => i));
});

test('memory does not grow with use', async () => {
  const { env } = await startDomains('xenstored');
  const { before, after } = (await runChild('memory', { env: env({ domid: 0 }) })) as Record<
    'before' | 'after',
    { readonly native: number; readonly heap: number }
  >;
  // The child makes 100 000 reads: a leak of one byte in each would be 0.1 MiB.
  expect(after.native - before.native).toBeLessThan(2);
  expect(after.heap - before.heap).toBeLessThan(0.5);
});
