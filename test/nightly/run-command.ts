/** Runs a command in its own process group, with its output in a log. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export type Command = {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

export type Limits = {
  readonly log: string;
  /** Milliseconds after which the command counts as hung. */
  readonly hangMs: number;
  /** Ends the command early. */
  readonly signal: AbortSignal;
  /** Milliseconds between SIGTERM and SIGKILL; by default 30 000. */
  readonly graceMs?: number;
};

export type Ended = {
  readonly output: string;
  readonly minutes: number;
  /** The reason why the command failed; undefined if it did not. */
  readonly failure: string | undefined;
};

const isAlive = (group: number): boolean => {
  try {
    return process.kill(-group, 0);
  } catch {
    return false;
  }
};

const signalGroup = (group: number, signal: NodeJS.Signals): void => {
  if (isAlive(group)) process.kill(-group, signal);
};

/**
 * Ends a process group: first with SIGTERM, so that rigs can remove their namespaces and virtual machines.
 */
const endGroup = async (group: number, graceMs: number): Promise<void> => {
  signalGroup(group, 'SIGTERM');
  const deadline = performance.now() + graceMs;
  while (isAlive(group) && performance.now() < deadline) await delay(20);
  signalGroup(group, 'SIGKILL');
};

/** The command line with its variables, for a person who runs it again. */
const commandLine = ({ argv, env }: Command): string =>
  [...Object.entries(env).map(([name, value]) => `${name}=${value}`), ...argv].join(' ');

const endOf = async (
  command: Command,
  { signal, hangMs, graceMs = 30_000 }: Limits,
  output: number,
): Promise<string | undefined> => {
  const [program = '', ...args] = command.argv;
  const child = spawn(program, args, {
    detached: true,
    env: { ...process.env, NO_COLOR: '1', ...command.env },
    stdio: ['ignore', output, output],
  });
  const exit = once(child, 'exit').catch((error: Error) => error);
  const group = child.pid;
  if (group === undefined) return `could not be run: ${await exit}`;
  const stopped = AbortSignal.any([signal, AbortSignal.timeout(hangMs)]);
  const end = (): Promise<void> => endGroup(group, graceMs);
  stopped.addEventListener('abort', end);
  if (stopped.aborted) await end();
  await exit;
  stopped.removeEventListener('abort', end);
  await end();
  if (signal.aborted) return 'interrupted';
  if (stopped.aborted) return `hung: ended after ${(hangMs / 60_000).toFixed(1)} min`;
  const how = child.signalCode ?? `exit status ${child.exitCode}`;
  return child.exitCode === 0 ? undefined : how;
};

/** Runs a command; resolves when the command and its process group have ended. */
export const runCommand = async (command: Command, limits: Limits): Promise<Ended> => {
  mkdirSync(dirname(limits.log), { recursive: true });
  const log = openSync(limits.log, 'w');
  const began = performance.now();
  try {
    writeSync(log, `$ ${commandLine(command)}\n`);
    const failure = await endOf(command, limits, log);
    const minutes = (performance.now() - began) / 60_000;
    return { output: readFileSync(limits.log, 'utf8'), minutes, failure };
  } finally {
    closeSync(log);
  }
};
