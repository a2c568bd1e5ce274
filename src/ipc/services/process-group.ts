/** A call's process group: all its processes, except those that have moved to another group. */
import { readdirSync, readFileSync } from 'node:fs';
import { sleep, systemClock } from '../../system/clock.ts';
import { killMs, termMs } from './limits.ts';

const statOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return ''; // the process has just ended
  }
};

/** Whether a process belongs to the group and has not ended. An ended orphan may wait for init to reap it. */
const isLivingMember = (pid: string, group: number): boolean => {
  const stat = statOf(pid);
  const [state, , pgrp] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(pgrp) === group && state !== 'Z' && state !== 'X';
};

/** Whether a member lives. The kernel does not reuse the group's number while it has a member. */
const isGroupAlive = (group: number): boolean => {
  try {
    process.kill(-group, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return readdirSync('/proc').some((name) => /^\d/.test(name) && isLivingMember(name, group));
};

const signal = (group: number, name: 'SIGTERM' | 'SIGKILL'): void => {
  try {
    process.kill(-group, name);
  } catch {
    // The group has just ended, or the agent may not signal it: then it stays alive, and the caller sees
    // that.
  }
};

/**
 * Waits for the group's end; false after `ms`. It polls, because the kernel reports only the end of own
 * children.
 */
export const groupEndedWithin = async (group: number, ms: number): Promise<boolean> => {
  const start = systemClock.now();
  while (isGroupAlive(group)) {
    const waited = systemClock.now() - start;
    if (waited > ms) return false;
    await sleep(systemClock, Math.max(5, waited / 8));
  }
  return true;
};

/** Ends the group with SIGTERM, then with SIGKILL. False if a process is still alive. */
export const endGroup = async (group: number): Promise<boolean> => {
  signal(group, 'SIGTERM');
  if (await groupEndedWithin(group, termMs)) return true;
  signal(group, 'SIGKILL');
  return groupEndedWithin(group, killMs);
};
