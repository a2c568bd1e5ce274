/** A rig's directory, and the sweep that removes what rigs of dead processes left behind. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { recordingMark } from '../../coverage/recording.ts';
import { atEnd } from '../../support/at-end.ts';

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

/**
 * Lists the processes of a rig, also grandchildren whose parent was killed; only those with a variable, if one is given.
 * @param others processes that are known not to be among them; others that are not are added
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
    if (wanted.every((one) => variables.includes(one))) return true;
    // One that goes over to another program has none for a moment.
    if (environment !== '' || !isRunning(Number(pid))) others.add(pid);
    return false;
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && !others.has(name) && isWanted(name))
    .map(Number);
};

/** Far more than it takes until the last process has died. */
const mostPasses = 10_000;

/**
 * Kills what runs in a rig; only those processes with a variable, if one is given. Returns when all have died: until
 * then they may start others, and so it looks again and again.
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

/**
 * Makes a directory for a rig of this process; its path is short, for it will hold unix sockets. The rig is removed
 * when the process ends, if not before: a test that hangs does not close it.
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
