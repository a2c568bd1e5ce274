/** The processes of a call: those that did not leave its group for one of their own. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { killMs, termMs } from './limits.ts';

const statOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return ''; // it has just ended
  }
};

/** Whether a process is of the group and has not ended: an orphan that has may wait for init to notice. */
const isLivingMember = (pid: string, group: number): boolean => {
  const stat = statOf(pid);
  const [state, , pgrp] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(pgrp) === group && state !== 'Z' && state !== 'X';
};

/** The group's number stays its own as long as one member is there, also after its leader. */
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
    // It has just ended; or it may not be signalled, which shows in its living on.
  }
};

/** The kernel tells nobody of the end of what are no children of theirs: looked for, ever more rarely. */
export const groupEndedWithin = async (group: number, ms: number): Promise<boolean> => {
  const start = performance.now();
  while (isGroupAlive(group)) {
    const waited = performance.now() - start;
    if (waited > ms) return false;
    await delay(Math.max(5, waited / 8));
  }
  return true;
};

/** Ends all of it: politely, then not. False if something is still there. */
export const endGroup = async (group: number): Promise<boolean> => {
  signal(group, 'SIGTERM');
  if (await groupEndedWithin(group, termMs)) return true;
  signal(group, 'SIGKILL');
  return groupEndedWithin(group, killMs);
};
