/** Reads a running process's resources from /proc. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const list = (path: string): string[] => {
  try {
    return readdirSync(path);
  } catch {
    return []; // the process has just ended
  }
};

const target = (link: string): string => {
  try {
    return readlinkSync(link);
  } catch {
    return 'closed meanwhile';
  }
};

/** The process's open files, sorted; sockets and pipes without their numbers. */
export const openFiles = (pid: number): readonly string[] =>
  list(`/proc/${pid}/fd`)
    .map((fd) => target(`/proc/${pid}/fd/${fd}`).replace(/\[\d+\]$/, ''))
    .sort();

/** The process's threads, as directories in /proc. */
export const threadsOf = (pid: number): readonly string[] =>
  list(`/proc/${pid}/task`).map((task) => `/proc/${pid}/task/${task}`);

const text = (path: string): string => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // the process has just ended
  }
};

/** The process's children, with those that have ended but are not yet waited for. */
export const childrenOf = (pid: number): readonly number[] =>
  threadsOf(pid)
    .flatMap((thread) => text(`${thread}/children`).split(' '))
    .filter((child) => child !== '')
    .map(Number);

/** The process's command line, words separated by spaces; empty if it has ended. */
export const commandLine = (pid: number): string =>
  text(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();

/** The kernel's name of the process, at most 15 characters. */
export const nameOf = (pid: number): string => statOf(pid).name;

/** How often the scheduler has put a thread on a processor. */
export const switchesOf = (thread: string): number =>
  [...text(`${thread}/status`).matchAll(/ctxt_switches:\s+(\d+)/g)]
    .map(([, count]) => Number(count))
    .reduce((sum, count) => sum + count, 0);

/** Resident memory, MiB. */
export const rssMiB = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(text(`/proc/${pid}/status`))?.[1]) / 1024;

const statOf = (pid: number): { readonly name: string; readonly fields: readonly string[] } => {
  const [, name = 'gone', rest = ''] = /\((.*)\) (.*)/s.exec(text(`/proc/${pid}/stat`)) ?? [];
  return { name, fields: rest.split(' ') };
};

/** USER_HZ, which is 100 on every Linux that Node supports. */
const ticksPerSecond = 100;

/** Seconds of processor time: the process's own, and that of the children that it has waited for. */
export const cpuSeconds = (pid: number): { readonly own: number; readonly children: number } => {
  const { fields } = statOf(pid);
  const seconds = (...indices: number[]): number =>
    indices.reduce((sum, index) => sum + Number(fields[index]), 0) / ticksPerSecond;
  // utime, stime, cutime and cstime. proc(5) counts fields from the pid, two fields before the first field
  // here.
  return { own: seconds(11, 12), children: seconds(13, 14) };
};
