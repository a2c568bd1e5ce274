/** A rig's directory, and the removal of rigs whose owner has died. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { recordingMark } from '../../coverage/recording.ts';
import { atEnd } from '../../support/at-end.ts';

const parent = '/tmp';
const prefix = 'vifwatch-rig.';
const mark = 'VIFWATCH_RIG';

let made = 0;

/** Whether the process runs a program; a zombie does not. */
export const isRunning = (pid: number): boolean => existsSync(`/proc/${pid}/exe`);

const environmentOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    return ''; // the process has just ended
  }
};

/** Sends a signal to a process; does nothing if the process has ended. */
const signalNow = (pid: number, signal: 'SIGKILL' | 'SIGTERM'): void => {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
};

/** The environment variable that marks every process of a rig. */
export const rigMark = (directory: string): Record<string, string> => ({ [mark]: directory });

/**
 * Lists the processes of a rig, also grandchildren whose parent was killed.
 * @param variable if given, only processes with this environment variable are listed
 * @param others processes that do not belong to the rig; the function skips them and adds those that it finds
 */
const rigProcesses = (
  directory: string,
  variable?: string,
  others = new Set<string>(),
): readonly number[] => {
  const wanted = [`${mark}=${directory}`, ...(variable === undefined ? [] : [variable])];
  const isWanted = (pid: string): boolean => {
    const environment = environmentOf(pid);
    const variables = environment.split('\0');
    if (wanted.every((variable) => variables.includes(variable))) return true;
    // A process has no environment for a moment while it executes a new program.
    if (environment !== '' || !isRunning(Number(pid))) others.add(pid);
    return false;
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && !others.has(name) && isWanted(name))
    .map(Number);
};

/** Far more passes than the end of the last process takes. */
const mostPasses = 10_000;

/**
 * Kills the processes of a rig, again and again until none is left, because they may start others meanwhile.
 * @param variable if given, only processes with this environment variable are killed
 */
export const killRigProcesses = (directory: string, variable?: string): void => {
  const others = new Set<string>();
  for (let pass = 0; pass < mostPasses; pass += 1) {
    const pids = rigProcesses(directory, variable, others);
    if (pids.length === 0) return;
    for (const pid of pids) signalNow(pid, 'SIGKILL');
  }
  throw new Error(`processes of ${directory} do not die`);
};

/** Milliseconds for processes to write their coverage records; a process that a test has stopped cannot. */
const recordMs = 5_000;

/**
 * Ends the rig's coverage-recording processes with SIGTERM, because they write their records only on a clean
 * exit.
 */
export const endRecording = async (directory: string): Promise<void> => {
  if (recordingMark === undefined) return;
  const pids = rigProcesses(directory, recordingMark);
  for (const pid of pids) signalNow(pid, 'SIGTERM');
  const deadline = performance.now() + recordMs;
  while (pids.some(isRunning) && performance.now() < deadline) await delay(5);
};

/** Kills a rig's processes, which also ends its namespaces, and removes its files. */
export const removeRig = (directory: string): void => {
  killRigProcesses(directory);
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
};

/** Removes rigs whose owner was killed before it could remove them. */
const removeDeadRigs = (): void => {
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(prefix)) continue;
    const owner = Number(name.slice(prefix.length).split('.')[0]);
    if (!isRunning(owner)) removeRig(`${parent}/${name}`);
  }
};

/**
 * Makes a directory for a rig of this process. Its path is short, because paths of unix sockets are limited.
 * The rig is removed at the latest when the process ends, because a hung test does not close its rig.
 */
export const makeRigDirectory = (): string => {
  removeDeadRigs();
  made += 1;
  const directory = `${parent}/${prefix}${process.pid}.${made}`;
  mkdirSync(directory, { mode: 0o700 });
  atEnd(() => {
    if (existsSync(directory)) removeRig(directory);
  });
  return directory;
};
