/** The watchdog over xenstored; clock and xenstored are fakes. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchXenstored } from '../../../src/network/daemon/xenstored-watchdog.ts';
import { openFakeStore } from '../store/fake-store.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Watches a xenstored that answers its reads with `answer`. */
const watching = (answer: () => Promise<string>) => {
  const read = vi.fn(answer);
  const fail = vi.fn();
  const watch = watchXenstored({ ...openFakeStore().store, read }).subscribe({ error: fail });
  return { read, fail, stop: () => watch.unsubscribe() };
};

test('reads every 3 s while xenstored answers, and no more once it is stopped', async () => {
  const { read, fail, stop } = watching(async () => '2');
  await vi.advanceTimersByTimeAsync(9_000);
  expect(read).toHaveBeenCalledTimes(3);
  stop();
  await vi.advanceTimersByTimeAsync(9_000);
  expect(read).toHaveBeenCalledTimes(3);
  expect(fail).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});

test('reports a xenstored that leaves one read unanswered for 5 s, and does not read again meanwhile', async () => {
  const { read, fail } = watching(() => new Promise(() => {}));
  await vi.advanceTimersByTimeAsync(7_999);
  expect(read).toHaveBeenCalledTimes(1);
  expect(fail).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(fail).toHaveBeenCalledWith(expect.objectContaining({ code: 'XENSTORE_HUNG' }));
});

test('reports the error of a failed read', async () => {
  const { fail } = watching(() => Promise.reject(new Error('EBADF')));
  await vi.advanceTimersByTimeAsync(3_000);
  expect(fail).toHaveBeenCalledWith(new Error('EBADF'));
});
