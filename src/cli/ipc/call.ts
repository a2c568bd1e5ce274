/** `vifwatch call`: one service of another VM, with this process's stdin, stdout, stderr and exit status. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { CallRequest, Outcome, OutgoingCall, RefusalCode } from '../../ipc/protocol/call.ts';
import { ChannelError } from '../../ipc/protocol/channel-error.ts';
import { plainText } from '../../text/plain-text.ts';
import { connectToAgent } from './agent-link.ts';

export type CallOptions = {
  readonly runtime: string;
  /** Seconds; undefined is no limit. */
  readonly timeout: number | undefined;
  /** What talks with the service instead of this process's own stdin and stdout. */
  readonly program: readonly string[];
};

/** As qrexec's: trouble that is neither a refusal nor the service's. */
const failedStatus = 125;

const refusalStatus = {
  denied: 126,
  'not-found': 127,
  busy: failedStatus,
  failed: failedStatus,
  unreachable: failedStatus,
} as const satisfies Record<RefusalCode, number>;

const printError = (text: string): void => {
  process.stderr.write(`vifwatch: ${text}\n`);
};

/** `sign+key1`, or `sign` alone. */
const parseService = (text: string): Pick<CallRequest, 'service' | 'argument'> => {
  const plus = text.indexOf('+');
  return plus < 0
    ? { service: text, argument: '' }
    : { service: text.slice(0, plus), argument: text.slice(plus + 1) };
};

/** This process's own ends, or the local program's. */
type LocalEnd = {
  readonly reads: Writable;
  readonly writes: Readable;
  /** Rejects if what it wrote is not all that it was to write. */
  readonly ended: Promise<void>;
};

const ownEnd: LocalEnd = {
  reads: process.stdout,
  writes: process.stdin,
  ended: Promise.resolve(),
};

/** Between the end of a process's descriptors and its own, in the kernel. */
const dyingMs = 100;

/** Starts the local program, which has the service for its stdin and stdout. Throws an Error. */
const startProgram = async ([file = '', ...args]: readonly string[]): Promise<LocalEnd> => {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child, 'spawn');
  process.once('exit', () => child.kill());
  const ended = once(child, 'close').then(([, signal]: (string | null)[]) => {
    // Which is how one ends that the service has stopped to listen to.
    if (signal !== null && signal !== 'SIGPIPE') throw new Error(`${file} was killed by ${signal}`);
  });
  ended.catch(() => {});
  return { reads: child.stdin, writes: child.stdout, ended };
};

/**
 * Sends all that there is, and its end; but no end if it breaks off, which must not pass for one: that rejects.
 * A service that reads no more is its own affair.
 */
const send = async ({ writes, ended }: LocalEnd, stdin: Writable): Promise<void> => {
  try {
    await pipeline(writes, stdin, { end: false });
  } catch (error) {
    if (error instanceof ChannelError) return;
    throw new Error(`the input broke off: ${(error as Error).message}`);
  }
  // One that was killed closes its output a moment before that is known; one that only half-closes lives on.
  await Promise.race([ended, delay(dyingMs, undefined, { ref: false })]);
  stdin.end();
};

/** Settles when all is written, or when whoever reads has had enough: the outcome tells which. */
const receive = async (from: Readable, to: Writable): Promise<void> => {
  const own = to === process.stdout || to === process.stderr;
  const filters = own && (to as NodeJS.WriteStream).isTTY ? [plainText()] : [];
  await pipeline([from, ...filters, to], { end: !own }).catch(() => {});
};

const statusOf = (target: string, outcome: Outcome): number => {
  switch (outcome.kind) {
    case 'exited':
      return outcome.status;
    case 'refused':
      printError(`${target}: ${outcome.refusal.code}: ${outcome.refusal.text}`);
      return refusalStatus[outcome.refusal.code];
    case 'lost':
      printError(`the agent has gone: ${outcome.reason}`);
      return failedStatus;
  }
};

/** The call's end; rejects if the input breaks off before that. */
const transfer = async (remote: OutgoingCall, local: LocalEnd): Promise<Outcome> => {
  const written = Promise.all([
    receive(remote.stdout, local.reads),
    receive(remote.stderr, process.stderr),
  ]);
  const brokenOff = new Promise<never>((_, reject) => {
    // The end of what we send is not waited for: a service may answer without it.
    send(local, remote.stdin).catch(reject);
  });
  const outcome = await Promise.race([remote.outcome, brokenOff]);
  await written;
  return outcome;
};

const talk = async (target: string, named: string, options: CallOptions): Promise<number> => {
  const mux = await connectToAgent(options.runtime);
  await mux.ready;
  const local = options.program.length === 0 ? ownEnd : await startProgram(options.program);
  const outcome = await transfer(mux.open({ target, ...parseService(named) }), local);
  await local.ended;
  return statusOf(target, outcome);
};

/**
 * Calls, and returns the exit status: the service's, 128 and the signal that killed it, or 126 if it was denied,
 * 127 if there is no such service, 125 for all other trouble. The caller must exit then: a call that has not ended is
 * cancelled by that.
 */
export const call = async (
  target: string,
  named: string,
  options: CallOptions,
): Promise<number> => {
  const { timeout } = options;
  const late =
    timeout === undefined
      ? []
      : [
          once(AbortSignal.timeout(timeout * 1000), 'abort').then(() => {
            throw new Error(`${target} has not ended the call within ${timeout} s: cancelled`);
          }),
        ];
  try {
    return await Promise.race([talk(target, named, options), ...late]);
  } catch (error) {
    printError((error as Error).message);
    return failedStatus;
  }
};
