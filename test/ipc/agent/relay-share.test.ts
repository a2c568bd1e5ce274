/** A relay limits the calls that it takes from each source. */
import { PassThrough } from 'node:stream';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { openRelay } from '../../../src/ipc/agent/relay.ts';
import type { VmName } from '../../../src/ipc/config/vm-name.ts';
import type { RefusalCode } from '../../../src/ipc/protocol/call.ts';

const name = (text: string): VmName => text as VmName;

/** A relay whose links with targets never come up, so that its calls wait. */
const waitingRelay = () => {
  const relay = openRelay({
    linkWith: (_name, signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('given up')));
      }),
    linkNow: () => undefined,
    log: pino({ enabled: false }),
    rateLimitLog: () => {},
  });
  const cancels = new AbortController();
  /**
   * Makes `count` calls; gives how many the relay takes at once, and the refusals, to which later ones are
   * added.
   */
  const take = (from: string, to: string, count: number) => {
    const refusals: RefusalCode[] = [];
    for (let call = 0; call < count; call += 1) {
      void relay.forward(name(from), name(to), {
        request: { target: to, service: 'any', argument: '' },
        stdin: new PassThrough(),
        stdout: new PassThrough(),
        stderr: new PassThrough(),
        refuse: ({ code }) => refusals.push(code),
        exit: () => {},
        cancelled: cancels.signal,
      });
    }
    return { taken: count - refusals.length, refusals };
  };
  return { relay, take, cancel: () => cancels.abort() };
};

test('a source can have 256 calls to each target', async () => {
  const { relay, take, cancel } = waitingRelay();
  expect(take('a', 'x', 1000)).toEqual({ taken: 256, refusals: Array(744).fill('busy') });
  expect(take('a', 'y', 1000).taken).toBe(256);
  expect(relay.underWay()).toBe(512);
  cancel();
  await expect.poll(() => relay.underWay()).toBe(0);
});

test('twelve sources that take their full share leave room for the next source', () => {
  const { take } = waitingRelay();
  const taken: number[] = [];
  for (let source = 0; source < 12; source += 1) taken.push(take(`evil${source}`, 'x', 1000).taken);
  const [first, second] = taken;
  expect([first, second]).toEqual([256, 192]);
  expect(take('honest', 'x', 1).taken).toBe(1);
  expect(take('honest', 'x', 1000).taken).toBeGreaterThanOrEqual(7);
});

test('a relay that stops refuses waiting and new calls as unreachable, so that they can take another route', async () => {
  const { relay, take } = waitingRelay();
  const waiting = take('a', 'x', 3);
  expect(waiting.taken).toBe(3);
  const closed = relay.close();
  expect(take('a', 'x', 2)).toEqual({ taken: 0, refusals: Array(2).fill('unreachable') });
  await closed;
  expect(waiting.refusals).toEqual(Array(3).fill('unreachable'));
  expect(relay.underWay()).toBe(0);
});
