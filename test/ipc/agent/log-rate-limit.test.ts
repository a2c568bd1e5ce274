/** The agent's log and the memory of its rate limit are bounded for any number of peer names. */
import { expect, test } from 'vitest';
import { openLogRateLimit } from '../../../src/ipc/agent/log-rate-limit.ts';

test('each peer has a burst of 200 lines, then one a second, and the next line counts the suppressed ones', () => {
  let now = 0;
  const rateLimitLog = openLogRateLimit(() => now);
  const lines: (number | undefined)[] = [];
  const say = (peer: string) => rateLimitLog(peer, (suppressed) => lines.push(suppressed));
  for (let line = 0; line < 1000; line += 1) say('a');
  expect(lines).toHaveLength(200);
  say('b');
  expect(lines).toHaveLength(201);
  now = 1000;
  for (let line = 0; line < 1000; line += 1) say('a');
  expect(lines).toHaveLength(202);
  expect(lines[201]).toBe(800);
});

test('names beyond the table size share one bucket until other names have been silent', () => {
  let now = 0;
  const rateLimitLog = openLogRateLimit(() => now);
  let lines = 0;
  const say = (peer: string) => rateLimitLog(peer, () => lines++, 'relay');
  for (let name = 0; name < 100_000; name += 1) say(`name${name}`);
  // One of the 256 buckets is the relay's own.
  expect(lines).toBe(255 + 200);
  // A peer that calls directly keeps a bucket of its own, although the relay has used up its buckets.
  let heard = 0;
  for (let peer = 0; peer < 70; peer += 1) rateLimitLog(`peer${peer}`, () => heard++);
  expect(heard).toBe(70);
  now = 1_000_000;
  lines = 0;
  for (let name = 0; name < 200; name += 1) say(`new${name}`);
  expect(lines).toBe(200);
});

test('a relay has more lines than a peer, and one bound for all names that it vouches for', () => {
  let now = 0;
  const rateLimitLog = openLogRateLimit(() => now);
  let lines = 0;
  const flood = (): void => {
    for (let round = 0; round < 250; round += 1)
      for (let name = 0; name < 200; name += 1) rateLimitLog(`name${name}`, () => lines++, 'relay');
  };
  flood();
  expect(lines).toBe(1000);
  now = 1000;
  flood();
  expect(lines).toBe(1005);
  // A source that logs as much as it can leaves most of the relay's lines to other sources.
  now = 1_000_000;
  lines = 0;
  for (let line = 0; line < 1000; line += 1) rateLimitLog('noisy', () => lines++, 'relay');
  expect(lines).toBe(200);
  rateLimitLog('quiet', () => lines++, 'relay');
  expect(lines).toBe(201);
});
