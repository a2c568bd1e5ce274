/** A rig's directory, and the sweep that removes what rigs of dead processes left behind. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { recordingMark } from '../../coverage/recording.ts';

const parent = '/tmp';
const prefix = 'vifwatch-rig.';
const mark = 'VIFWATCH_RIG';

let made = 0;

/** A process that has ended, but has not been waited for yet, has no program any more. */
export const isRunning = (pid: number): boolean => existsSync(`/proc/${pid}/exe`);

const environmentOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    return ''; // it has just ended
  }
};

/** Sends a signal to a process that may just have ended by itself. */
const signalNow = (pid: number, signal: 'SIGKILL' | 'SIGTERM'): void => {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
};

/** The environment variable by which every process of a rig is known. */
export const rigMark = (directory: string): Record<string, string> => ({ [mark]: directory });

/** What runs in a rig, also grandchildren whose parent was killed; only those with a variable, if one is given. */
const rigProcesses = (directory: string, variable?: string): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const variables = environmentOf(pid).split('\0');
      return (
        variables.includes(`${mark}=${directory}`) &&
        (variable === undefined || variables.includes(variable))
      );
    })
    .map(Number);

/** Kills what runs in a rig; only those processes with a variable, if one is given. */
export const killRigProcesses = (directory: string, variable?: string): void => {
  for (const pid of rigProcesses(directory, variable)) signalNow(pid, 'SIGKILL');
};

/** Milliseconds after which a process that does not end, since a test has stopped it, is killed without its record. */
const recordMs = 5_000;

/** Ends the processes of a rig that record which code they run in good order, for only then do they write it down. */
export const endRecording = async (directory: string): Promise<void> => {
  if (recordingMark === undefined) return;
  const pids = rigProcesses(directory, recordingMark);
  for (const pid of pids) signalNow(pid, 'SIGTERM');
  const deadline = performance.now() + recordMs;
  while (pids.some(isRunning) && performance.now() < deadline) await delay(5);
};

/** Ends a rig: its processes (the namespaces go with the last of them), then its files. */
export const removeRig = (directory: string): void => {
  killRigProcesses(directory);
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
};

/** Removes the rigs whose owner was killed before it could do so. */
const removeDeadRigs = (): void => {
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(prefix)) continue;
    const owner = Number(name.slice(prefix.length).split('.')[0]);
    if (!isRunning(owner)) removeRig(`${parent}/${name}`);
  }
};

/** Makes a directory for a rig of this process; its path is short, for it will hold unix sockets. */
export const makeRigDirectory = (): string => {
  removeDeadRigs();
  made += 1;
  const directory = `${parent}/${prefix}${process.pid}.${made}`;
  mkdirSync(directory, { mode: 0o700 });
  return directory;
};
