/** One worker: what it tells while its work runs, and after that. */
import { expect, test } from 'vitest';
import { openWorker } from '../../../src/network/daemon/worker.ts';
import { deferred } from '../../../src/system/deferred.ts';
import { linkNameOf } from '../../support/link-name.ts';

test('a worker is busy with its links until its work ends', async () => {
  const ends: unknown[] = [];
  const worker = openWorker((error) => ends.push(error));
  const work = deferred<void>();
  expect(worker.isIdle()).toBe(true);
  worker.start([linkNameOf('vif3.0')], () => work.promise);
  expect(worker.isIdle()).toBe(false);
  expect(worker.busy()).toEqual(['vif3.0']);
  work.resolve();
  await worker.settled();
  expect(worker.isIdle()).toBe(true);
  expect(worker.busy()).toEqual([]);
  expect(ends).toEqual([undefined]);
});

test('a worker keeps the error of its last work until a work succeeds', async () => {
  const error = new Error('ip failed');
  const ends: unknown[] = [];
  const worker = openWorker((end) => ends.push(end));
  worker.start([], () => Promise.reject(error));
  await worker.settled();
  expect(worker.lastError()).toBe(error);
  worker.start([], async () => {});
  await worker.settled();
  expect(worker.lastError()).toBe(undefined);
  expect(ends).toEqual([error, undefined]);
});

test('a worker is idle when it reports an end, so that the next work can start there', async () => {
  let rounds = 0;
  const worker = openWorker(() => {
    rounds += 1;
    if (rounds < 3) worker.start([], async () => {});
  });
  worker.start([], async () => {});
  while (!worker.isIdle()) await worker.settled();
  expect(rounds).toBe(3);
});
