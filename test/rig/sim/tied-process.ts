/**
 * Long-running programs of a rig: their output goes to a file, and they end with the process that started
 * them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

export type TiedProcess = {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly logFile: string;
  /** Resolves when the process has ended for any reason. */
  readonly ended: Promise<void>;
  /** Everything the process has written so far. */
  log(): string;
  /** Sends SIGKILL and waits for the process's end. */
  kill(): Promise<void>;
};

export type TiedOptions = {
  readonly env: Record<string, string>;
  readonly logFile: string;
  readonly stdin?: 'ignore' | 'pipe';
};

/** Starts a program. The kernel kills it when this process ends, even if SIGKILL ends this process. */
export const startTied = (argv: readonly string[], options: TiedOptions): TiedProcess => {
  const log = openSync(options.logFile, 'a');
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...argv], {
    env: { ...process.env, ...options.env },
    stdio: [options.stdin ?? 'ignore', log, log],
  });
  closeSync(log);
  const { pid } = child;
  if (pid === undefined) throw new Error('setpriv (util-linux) could not be started');
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    child,
    pid,
    logFile: options.logFile,
    ended,
    log: () => readFileSync(options.logFile, 'utf8'),
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
};
