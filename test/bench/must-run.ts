import type { ChildProcess } from 'node:child_process';

/** Throws if the program has ended, for waits that would else go on without it. */
export const mustRun = (child: ChildProcess, log = (): string => ''): void => {
  const { exitCode, signalCode, spawnargs } = child;
  if (exitCode === null && signalCode === null) return;
  throw new Error(`${spawnargs.join(' ')}: ${signalCode ?? `exit status ${exitCode}`}\n${log()}`);
};
