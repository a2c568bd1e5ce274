/**
 * `vifwatch call`: calls a service of another VM, with this process's stdin, stdout, stderr and exit status.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  ChannelError,
  failedStatus,
  type Outcome,
  type OutgoingCall,
  parseService,
  type RefusalCode,
} from '../../ipc/protocol/call.ts';
import { systemClock } from '../../system/clock.ts';
import { within } from '../../system/deadline.ts';
import { readableEnd, writableEnd } from '../../system/pipe-ends.ts';
import { plainText } from '../../text/plain-text.ts';
import { loadNative } from '../../xen/native.ts';
import { printError } from '../print-error.ts';
import { connectToAgent } from './agent-link.ts';

export type CallOptions = {
  readonly vm: string;
  /** The service with its argument. */
  readonly service: string;
  readonly runtime: string;
  /** The limit in seconds. */
  readonly timeout?: number;
  /**
   * The local program that talks with the service instead of this process's stdin and stdout; empty for none.
   */
  readonly program: readonly string[];
};

const refusalStatus = {
  denied: 126,
  'not-found': 127,
  busy: failedStatus,
  failed: failedStatus,
  unreachable: failedStatus,
} as const satisfies Record<RefusalCode, number>;

/** The local end of the call: this process's own stdin and stdout, or the local program's. */
type LocalEnd = {
  readonly reads: Writable;
  readonly writes: Readable;
  /** Rejects if the program was killed: its output may be incomplete then. */
  readonly ended: Promise<void>;
};

const ownEnd: LocalEnd = {
  reads: process.stdout,
  writes: process.stdin,
  ended: Promise.resolve(),
};

/**
 * The longest time between the moment when a killed process's descriptors close and the report of its end.
 */
const dyingMs = 100;

/**
 * Starts the local program, with the service as its stdin and stdout. libuv would use socket pairs, but a
 * program opens /dev/stdin and /dev/stdout by name, and a socket cannot be opened.
 * @throws Error
 */
const startProgram = async ([file = '', ...args]: readonly string[]): Promise<LocalEnd> => {
  const { pipe } = loadNative();
  const [stdin, toStdin] = pipe();
  const [fromStdout, stdout] = pipe();
  const [reads, writes] = [writableEnd(toStdin), readableEnd(fromStdout)];
  const child = spawn(file, args, { stdio: [stdin, stdout, 'inherit'] });
  for (const theirs of [stdin, stdout]) closeSync(theirs);
  await once(child, 'spawn');
  process.once('exit', () => child.kill());
  const ended = once(child, 'close').then(([, signal]: (string | null)[]) => {
    // SIGPIPE is the usual end of a program whose service has stopped reading.
    if (signal !== null && signal !== 'SIGPIPE') throw new Error(`${file} was killed by ${signal}`);
  });
  ended.catch(() => {});
  return { reads, writes, ended };
};

/**
 * Sends all input and its end. If the input breaks off, it rejects without an end, because the service must
 * not take the break for the end. A service that has stopped reading is not an error.
 */
const send = async ({ writes, ended }: LocalEnd, stdin: Writable): Promise<void> => {
  try {
    await pipeline(writes, stdin, { end: false });
  } catch (error) {
    if (error instanceof ChannelError) return;
    throw new Error(`the input broke off: ${(error as Error).message}`);
  }
  // A killed program closes its output shortly before its end is reported. A program that half-closes runs
  // on.
  await within(systemClock, dyingMs, ended, () => undefined);
  stdin.end();
};

/**
 * Resolves when all output is written, or when its reader has closed: the outcome shows which. Never rejects.
 */
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
      printError(`the link with the agent was lost: ${outcome.reason}`);
      return failedStatus;
  }
};

/** Resolves with the call's outcome. Rejects if the input breaks off before that. */
const transfer = async (remote: OutgoingCall, local: LocalEnd): Promise<Outcome> => {
  const written = Promise.all([
    receive(remote.stdout, local.reads),
    receive(remote.stderr, process.stderr),
  ]);
  const brokenOff = new Promise<never>((_, reject) => {
    // The end of the input is not awaited: a service may answer without it.
    send(local, remote.stdin).catch(reject);
  });
  const outcome = await Promise.race([remote.outcome, brokenOff]);
  await written;
  return outcome;
};

const talk = async ({ vm, service, runtime, program }: CallOptions): Promise<number> => {
  const mux = await connectToAgent(runtime);
  await mux.ready;
  const local = program.length === 0 ? ownEnd : await startProgram(program);
  const outcome = await transfer(mux.open({ target: vm, ...parseService(service) }), local);
  await local.ended;
  return statusOf(vm, outcome);
};

/**
 * Calls the service and returns the exit status: the service's own, 128 plus the number of the signal that
 * killed it, 126 if the call was denied, 127 if the service does not exist, 125 for any other failure. The
 * process must exit after that: its exit cancels a call that has not ended.
 */
export const call = async (options: CallOptions): Promise<number> => {
  const { vm, timeout } = options;
  const late = (): never => {
    throw new Error(`${vm} has not ended the call within ${timeout} s: cancelled`);
  };
  try {
    const status = talk(options);
    if (timeout === undefined) return await status;
    return await within(systemClock, timeout * 1000, status, late);
  } catch (error) {
    printError((error as Error).message);
    return failedStatus;
  }
};
