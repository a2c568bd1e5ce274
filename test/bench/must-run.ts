import type { ChildProcess } from 'node:child_process';

/** Checks in a wait that the program still runs. @throws Error if it has ended */
export const mustRun = (child: ChildProcess, log = (): string => ''): void => {
  const { exitCode, signalCode, spawnargs } = child;
  if (exitCode === null && signalCode === null) return;
  throw new Error(`${spawnargs.join(' ')}: ${signalCode ?? `exit status ${exitCode}`}\n${log()}`);
};
