/** The wait for the links of many vifs, on a fake clock. */
import assert from 'node:assert/strict';
import { Subject } from 'rxjs';
import { afterEach, beforeEach, test, vi } from 'vitest';
import { openBatchWindow } from '../../../src/network/daemon/batch-window.ts';
import { linkNameOf } from '../../support/link-name.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const openNetback = () => {
  const names = new Set(['lo', 'eth0']);
  const changes = new Subject<void>();
  const batchWindow = openBatchWindow({ hasLink: (name) => names.has(name), changes });
  /** Milliseconds until the wait before a round ended; undefined if there was no wait. */
  const waited = async (...coming: readonly string[]): Promise<number | undefined> => {
    const wait = batchWindow.delayBefore(true, coming.map(linkNameOf));
    if (wait === undefined) return undefined;
    let isOver = false;
    void wait().then(() => {
      isOver = true;
    });
    const start = performance.now();
    while (!isOver) {
      await vi.advanceTimersByTimeAsync(1);
      assert.ok(performance.now() - start < 1_000, 'the wait does not end');
    }
    return performance.now() - start;
  };
  const make = (afterMs: number, link: string): void => {
    setTimeout(() => {
      names.add(link);
      changes.next();
    }, afterMs);
  };
  return { batchWindow, waited, make };
};

test('there is no wait without expected links, or without a link that is ready', async () => {
  const { batchWindow, waited } = openNetback();
  assert.equal(await waited(), undefined);
  assert.equal(batchWindow.delayBefore(false, [linkNameOf('vif1.0')]), undefined);
});

test('the wait ends as soon as all links exist', async () => {
  const { waited, make } = openNetback();
  make(3, 'vif1.0');
  make(7, 'vif2.0');
  const ms = await waited('vif1.0', 'vif2.0');
  assert.ok(ms !== undefined && ms >= 7 && ms <= 9, `${ms} ms`);
});

test('a link that already exists is not waited for', async () => {
  const { waited, make } = openNetback();
  make(0, 'vif1.0');
  await vi.advanceTimersByTimeAsync(1);
  const ms = await waited('vif1.0');
  assert.ok(ms !== undefined && ms <= 1, `${ms} ms`);
});

test('a missing link is waited for only while other links keep appearing, and only once', async () => {
  const { waited, make } = openNetback();
  make(3, 'vif1.0');
  const ms = await waited('vif1.0', 'vif2.0');
  assert.ok(ms !== undefined && ms >= 8 && ms <= 10, `${ms} ms`);
  assert.equal(await waited('vif2.0'), undefined);
  assert.equal(await waited('vif2.0'), undefined);
});

test('while links keep appearing, a round comes at least every 30 ms', async () => {
  const { waited, make } = openNetback();
  for (let index = 0; index < 200; index += 1) make(index, `vif${index}.0`);
  let sinceMs = 0;
  let rounds = 0;
  for (let index = 0; index < 40; index += 1) {
    // Each wait is for another link, which never appears.
    const ms = await waited(`vif${1000 + index}.0`);
    sinceMs = ms === undefined ? 0 : sinceMs + ms;
    if (ms === undefined) rounds += 1;
    assert.ok(sinceMs <= 31, `${sinceMs} ms without a round`);
  }
  assert.ok(rounds >= 5, `${rounds} rounds`);
});
