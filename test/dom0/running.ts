/** What runs in a rig, and waiting for it. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { commandLine } from '../rig/process.ts';
import type { Dom0 } from './dom0.ts';

const environmentOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    return ''; // it has just ended
  }
};

/** Whether the rig has a process whose command line begins so. */
export const isRunning = ({ sim }: Dom0, beginning: string): boolean =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => commandLine(pid).startsWith(beginning))
    .some((pid) => environmentOf(pid).split('\0').includes(`SIMXEN=${sim.directory}`));

/** Waits until the condition holds; fails with `what` after 10 s. */
export const until = async (what: string, condition: () => boolean): Promise<void> => {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, `not within 10 s: ${what}`);
    await delay(10);
  }
};
