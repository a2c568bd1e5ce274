/**
 * A VM calls without end, and the policy denies each call. The agent must log few lines and use little CPU
 * time.
 */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { makeVm, startHost } from '../ipc/agent/vms.ts';
import { cpuSeconds } from '../rig/process.ts';
import type { Agent } from '../rig/sim/agent.ts';
import { fault } from './known.ts';

const drip = fileURLToPath(new URL('child/drip.ts', import.meta.url));
const hostile = fileURLToPath(new URL('../ipc/agent/child/hostile.ts', import.meta.url));

/** Starts an agent, and `program` in a VM whose calls the agent denies. */
const startDenied = async (program: string, ...args: readonly string[]): Promise<Agent> => {
  const host = await startHost();
  const victim = await makeVm(host, 'sa-vm', {
    serve: ['evil'],
    policy: ['* * @anyvm sa-vm deny'],
  });
  await victim.start();
  const domid = await host.create({ name: 'evil' });
  const argv = ['--import', 'tsx', program, `${victim.domid}`, ...args];
  const evil = execa(process.execPath, argv, {
    env: host.sim.env({ domid, hypercalls: true }),
    reject: false,
    buffer: false,
  });
  onTestFinished(async () => {
    evil.kill('SIGKILL');
    await evil;
  });
  await once(evil.stdout, 'data');
  return victim;
};

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

test.fails(fault('f8agent', 'a denied VM that calls endlessly causes few log lines'), async () => {
  const victim = await startDenied(hostile, 'calls');
  // After this time the burst of the log rate limit is used up.
  await delay(15_000);
  const before = victim.log().length;
  const seconds = 10;
  await delay(1000 * seconds);
  const lines = victim.log().slice(before).split('\n');
  const own = lines.filter((line) => line.includes('"evil"'));
  expect(own.length / seconds, 'lines a second').toBeLessThan(2);
});
