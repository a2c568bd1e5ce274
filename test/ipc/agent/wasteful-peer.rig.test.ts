/** A VM calls without end, and the policy denies each call. The agent spends little processor time on it. */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { cpuSeconds } from '../../rig/process.ts';
import { hostile, startDenied } from './denied-vm.ts';

const drip = fileURLToPath(new URL('child/drip.ts', import.meta.url));

/** After this time the peer has used up what it may waste at once. */
const burstMs = 2_000;
const seconds = 5;

test.each([
  ['writes byte by byte', drip, []],
  ['calls without a pause', hostile, ['calls']],
] as const)(
  'a denied VM that %s costs at most a tenth of a processor',
  async (_name, program, args) => {
    const victim = await startDenied(program, ...args);
    await delay(burstMs);
    const before = cpuSeconds(victim.pid()).own;
    await delay(1000 * seconds);
    const used = cpuSeconds(victim.pid()).own - before;
    expect(used / seconds, 'of a processor').toBeLessThan(0.1);
  },
);
