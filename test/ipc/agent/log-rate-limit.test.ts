/** However many names there are, the log and the memory for it have a bound. */
import { expect, test } from 'vitest';
import { openLogRateLimit } from '../../../src/ipc/agent/log-rate-limit.ts';

test('each peer has its burst, then so many lines in a second, and hears what was left out', () => {
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
  expect(lines).toHaveLength(221);
  expect(lines[201]).toBe(800);
});

test('more and more names share one bucket, until the others have been silent', () => {
  let now = 0;
  const rateLimitLog = openLogRateLimit(() => now);
  let lines = 0;
  const say = (peer: string) => rateLimitLog(peer, () => lines++, 'relay');
  for (let name = 0; name < 100_000; name += 1) say(`name${name}`);
  // One of the 256 is the relay's own.
  expect(lines).toBe(255 + 200);
  // A peer that nobody vouches for has a bucket of its own, whatever a relay does.
  let heard = 0;
  for (let peer = 0; peer < 70; peer += 1) rateLimitLog(`peer${peer}`, () => heard++);
  expect(heard).toBe(70);
  now = 10_000;
  lines = 0;
  for (let name = 0; name < 200; name += 1) say(`new${name}`);
  expect(lines).toBe(200);
});

test('a relay has more lines than a peer, and a bound, however many names it vouches for', () => {
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
  expect(lines).toBe(1100);
  // One that makes all the noise it can leaves most of it to others.
  now = 60_000;
  lines = 0;
  for (let line = 0; line < 1000; line += 1) rateLimitLog('noisy', () => lines++, 'relay');
  expect(lines).toBe(200);
  rateLimitLog('quiet', () => lines++, 'relay');
  expect(lines).toBe(201);
});
