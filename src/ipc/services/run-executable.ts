/** A call served by a process of its own. */
import { setTimeout as delay } from 'node:timers/promises';
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
  /** When nothing of it is left; never rejects. */
  readonly cleared: Promise<void>;
};

const endLoudly = async (group: number, report: Report): Promise<boolean> => {
  const ended = await endGroup(group);
  if (!ended) report(`process group ${group} could not be ended`);
  return ended;
};

const clearLeftovers = async (group: number, report: Report): Promise<void> => {
  if (await groupEndedWithin(group, leftoverMs)) return;
  report('ended what it had left running; a daemon needs a session of its own (setsid)');
  await endLoudly(group, report);
};

/** Whether the outputs reach their ends, once the process has; not if others keep them open in silence. */
const outputsAfterExit = async (
  { exited, stdout, stderr }: ServiceProcess,
  call: ServiceCall,
  drained: Promise<unknown>,
): Promise<'drained' | 'kept-open'> => {
  await exited;
  const { since, close } = unchangedFor(leftoverMs, () =>
    // A caller that does not read is no silence of theirs.
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

/** To be called as soon as the process has started; never rejects. */
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
    report('closed its output, which something it had started kept open in silence');
  else if (end.kind === 'too-long') report(end.text);
  // The signal goes first: an end of input must not pass for the caller's.
  const ending = endLoudly(pid, report);
  if (end !== 'kept-open' && end.kind === 'cancelled') close();
  const ended = await ending;
  // What it wrote last may still be on its way, unless the caller does not read.
  await Promise.race([drained, delay(killMs, undefined, { ref: false })]);
  close();
  // If something hangs in the kernel, it need not be the process itself.
  const status = await (ended ? exited : Promise.race([exited, killedStatus]));
  const isOwnEnd = end === 'kept-open' || status !== 0;
  return { status: isOwnEnd ? status : stoppedStatus, cleared: Promise.resolve() };
};
