/**
 * A VM calls without end, and the policy denies each call. The agent must use little CPU time.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { hostile, startDenied } from '../ipc/agent/denied-vm.ts';
import { cpuSeconds } from '../rig/process.ts';
import { fault } from './known.ts';

const drip = fileURLToPath(new URL('child/drip.ts', import.meta.url));

test.fails.each([
  ['writes byte by byte', drip, []],
  ['calls without a pause', hostile, ['calls']],
] as const)(fault('f11', 'a denied VM that %s costs little CPU'), async (_name, program, args) => {
  const victim = await startDenied(program, ...args);
  await delay(3_000);
  const before = cpuSeconds(victim.pid()).own;
  const seconds = 8;
  await delay(1000 * seconds);
  const used = cpuSeconds(victim.pid()).own - before;
  expect(used / seconds, 'of a processor').toBeLessThan(0.1);
});
