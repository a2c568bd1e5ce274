/** Serves a call with a new process. */
import { systemClock } from '../../system/clock.ts';
import { within } from '../../system/deadline.ts';
import { killMs, leftoverMs } from './limits.ts';
import { endGroup, groupEndedWithin } from './process-group.ts';
import { pump, pumpOut } from './pump.ts';
import type { ServiceConfig } from './service-config.ts';
import type { ServiceCall } from './services.ts';
import type { ServiceProcess } from './start-process.ts';
import { killedStatus, stoppedStatus, unchangedFor, watchForStop } from './stop-reason.ts';

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
