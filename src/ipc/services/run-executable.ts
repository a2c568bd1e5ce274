/** Serves a call with a new process. */

import { readdirSync, readFileSync } from 'node:fs';
import { sleep, systemClock } from '../../system/clock.ts';
import { within } from '../../system/deadline.ts';
import { killMs, leftoverMs, termMs } from './limits.ts';
import { pump, pumpOut } from './pump.ts';
import type { ServiceConfig } from './service-config.ts';
import type { ServiceCall } from './services.ts';
import type { ServiceProcess } from './start-process.ts';
import { killedStatus, stoppedStatus, unchangedFor, watchForStop } from './stop-reason.ts';

const statOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return ''; // the process has just ended
  }
};

/** Whether a process of the group has not ended. An ended orphan may wait for init to reap it. */
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
const groupEndedWithin = async (group: number, ms: number): Promise<boolean> => {
  const start = systemClock.now();
  while (isGroupAlive(group)) {
    const waited = systemClock.now() - start;
    if (waited > ms) return false;
    await sleep(systemClock, Math.max(5, waited / 8));
  }
  return true;
};

/** Ends the group with SIGTERM, then with SIGKILL. False if a process is still alive. */
const endGroup = async (group: number): Promise<boolean> => {
  signal(group, 'SIGTERM');
  if (await groupEndedWithin(group, termMs)) return true;
  signal(group, 'SIGKILL');
  return groupEndedWithin(group, killMs);
};

type Report = (text: string) => void;

export type Run = {
  readonly status: number;
  /** Resolves when none of its processes is left. Never rejects. */
  readonly cleared: Promise<void>;
};

const endLoudly = async (group: number, report: Report): Promise<boolean> => {
  const ended = await endGroup(group);
  if (!ended) report(`process group ${group} could not be ended`);
  return ended;
};

const clearLeftovers = async (group: number, report: Report): Promise<void> => {
  if (await groupEndedWithin(group, leftoverMs)) return;
  report('ending processes that it left running; a daemon needs its own session (setsid)');
  await endLoudly(group, report);
};

/**
 * Waits for the ends of the process and its outputs. `kept-open`: other processes keep an output open without
 * data.
 */
const outputsAfterExit = async (
  { exited, stdout, stderr }: ServiceProcess,
  call: ServiceCall,
  drained: Promise<unknown>,
): Promise<'drained' | 'kept-open'> => {
  await exited;
  const { since, close } = unchangedFor(leftoverMs, () =>
    // While the caller does not read, the writers cannot write: that does not count as silence.
    call.stdout.writableNeedDrain || call.stderr.writableNeedDrain
      ? Symbol('blocked')
      : stdout.bytesRead + stderr.bytesRead,
  );
  const how = await Promise.race([
    drained.then(() => 'drained' as const),
    since.then(() => 'kept-open' as const),
  ]);
  close();
  return how;
};

/**
 * Connects the call with the process. It must be called as soon as the process has started. Never rejects.
 */
export const runExecutable = async (
  call: ServiceCall,
  config: ServiceConfig,
  service: ServiceProcess,
  report: Report,
): Promise<Run> => {
  const { pid, stdin, stdout, stderr, exited } = service;
  const input = pump(call.stdin, stdin);
  const drained = Promise.all([pumpOut(stdout, call.stdout), pumpOut(stderr, call.stderr)]);
  const bytesMoved = (): number => stdin.bytesWritten + stdout.bytesRead + stderr.bytesRead;
  const watch = watchForStop(call.cancelled, config, input, bytesMoved);

  const end = await Promise.race([watch.stopped, outputsAfterExit(service, call, drained)]);
  watch.close();
  if (end === 'drained') {
    return { status: await exited, cleared: clearLeftovers(pid, report) };
  }

  const close = (): void => {
    for (const stream of [stdin, stdout, stderr]) stream.destroy();
  };
  if (end === 'kept-open')
    report('closed its output: it has ended, and a process that it started kept the output open');
  else if (end.kind === 'too-long') report(end.text);
  // The signal goes first: the service must not mistake this end of input for the caller's.
  const ending = endLoudly(pid, report);
  if (end !== 'kept-open' && end.kind === 'cancelled') close();
  const ended = await ending;
  // Waits for the last output, but not for a caller that does not read.
  await within(systemClock, killMs, drained, () => undefined);
  close();
  // If a process of the group hangs in the kernel, the main process may still have ended.
  const status = await (ended ? exited : Promise.race([exited, killedStatus]));
  const isOwnEnd = end === 'kept-open' || status !== 0;
  return { status: isOwnEnd ? status : stoppedStatus, cleared: Promise.resolve() };
};
