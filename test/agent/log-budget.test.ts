/** However many names there are, the log and the memory for it have a bound. */
import { expect, test } from 'vitest';
import { openLogBudget } from '../../src/agent/log-budget.ts';

test('each peer has its burst, then so many lines in a second, and hears what was left out', () => {
  let now = 0;
  const spend = openLogBudget(() => now);
  const lines: (number | undefined)[] = [];
  const say = (peer: string) => spend(peer, (suppressed) => lines.push(suppressed));
  for (let line = 0; line < 1000; line += 1) say('a');
  expect(lines).toHaveLength(200);
  say('b');
  expect(lines).toHaveLength(201);
  now = 1000;
  for (let line = 0; line < 1000; line += 1) say('a');
  expect(lines).toHaveLength(221);
  expect(lines[201]).toBe(800);
});

test('more and more names share one account, until the others have been silent', () => {
  let now = 0;
  const spend = openLogBudget(() => now);
  let lines = 0;
  const say = (peer: string) => spend(peer, () => lines++);
  for (let name = 0; name < 100_000; name += 1) say(`name${name}`);
  expect(lines).toBe(256 + 200);
  now = 10_000;
  lines = 0;
  for (let name = 0; name < 200; name += 1) say(`new${name}`);
  expect(lines).toBe(200);
});
