/** `vifwatch call`: one service of another VM, with this process's stdin, stdout, stderr and exit status. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { CallRequest, Outcome, OutgoingCall, RefusalCode } from '../protocol/call.ts';
import { connectToAgent } from './agent-link.ts';
import { plainText } from './plain-text.ts';

export type CallOptions = {
  readonly runtime: string;
  /** Seconds; undefined is no limit. */
  readonly timeout: number | undefined;
  /** What talks with the service instead of this process's own stdin and stdout. */
  readonly program: readonly string[];
};

/** As qrexec's: trouble that is neither a refusal nor the service's. */
const problem = 125;

const refusalStatus = {
  denied: 126,
  'not-found': 127,
  busy: problem,
  failed: problem,
  unreachable: problem,
} as const satisfies Record<RefusalCode, number>;

const complain = (text: string): void => {
  process.stderr.write(`vifwatch: ${text}\n`);
};

/** `sign+key1`, or `sign` alone. */
const parseService = (text: string): Pick<CallRequest, 'service' | 'argument'> => {
  const plus = text.indexOf('+');
  return plus < 0
    ? { service: text, argument: '' }
    : { service: text.slice(0, plus), argument: text.slice(plus + 1) };
};

/** Settles when all is written, or when whoever reads has had enough: the outcome tells which. */
const pump = async (from: Readable, to: Writable | NodeJS.WriteStream): Promise<void> => {
  const own = to === process.stdout || to === process.stderr;
  const filters = own && (to as NodeJS.WriteStream).isTTY ? [plainText()] : [];
  await pipeline([from, ...filters, to], { end: !own }).catch(() => {});
};

type LocalEnd = {
  readonly reads: Writable;
  readonly writes: Readable;
  readonly ended: Promise<unknown>;
};

const ownEnd: LocalEnd = { reads: process.stdout, writes: process.stdin, ended: Promise.resolve() };

/** Starts the local program, which has the service for its stdin and stdout. Throws an Error. */
const startProgram = async ([file = '', ...args]: readonly string[]): Promise<LocalEnd> => {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  await once(child, 'spawn');
  return { reads: child.stdin, writes: child.stdout, ended };
};

const statusOf = (target: string, outcome: Outcome): number => {
  switch (outcome.kind) {
    case 'exited':
      return outcome.status;
    case 'refused':
      complain(`${target}: ${outcome.refusal.code}: ${outcome.refusal.text}`);
      return refusalStatus[outcome.refusal.code];
    case 'lost':
      complain(`the agent has gone: ${outcome.reason}`);
      return problem;
  }
};

const transfer = async (
  remote: OutgoingCall,
  local: LocalEnd,
  limit: AbortSignal,
): Promise<Outcome> => {
  limit.addEventListener('abort', () => remote.cancel());
  // The end of what we send is not waited for: a service may answer without it.
  void pump(local.writes, remote.stdin);
  const written = Promise.all([
    pump(remote.stdout, local.reads),
    pump(remote.stderr, process.stderr),
  ]);
  const outcome = await remote.outcome;
  await written;
  await local.ended;
  return outcome;
};

/**
 * Calls, and returns the exit status: the service's, 128 and the signal that killed it, or 126 if it was denied,
 * 127 if there is no such service, 125 for all other trouble.
 */
export const call = async (
  target: string,
  named: string,
  options: CallOptions,
): Promise<number> => {
  const { runtime, timeout, program } = options;
  try {
    const mux = await connectToAgent(runtime);
    await mux.ready;
    const local = program.length === 0 ? ownEnd : await startProgram(program);
    const limit =
      timeout === undefined ? new AbortController().signal : AbortSignal.timeout(timeout * 1000);
    const outcome = await transfer(mux.open({ target, ...parseService(named) }), local, limit);
    if (!limit.aborted) return statusOf(target, outcome);
    complain(`${target} has not ended the call within ${timeout} s: cancelled`);
  } catch (error) {
    complain((error as Error).message);
  }
  return problem;
};
