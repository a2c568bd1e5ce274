/** What a running process has and uses, from /proc. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const list = (path: string): string[] => {
  try {
    return readdirSync(path);
  } catch {
    return []; // it has just gone
  }
};

const target = (link: string): string => {
  try {
    return readlinkSync(link);
  } catch {
    return 'closed meanwhile';
  }
};

/** What its open file descriptors are, sorted; sockets and pipes without their numbers. */
export const openFiles = (pid: number): readonly string[] =>
  list(`/proc/${pid}/fd`)
    .map((fd) => target(`/proc/${pid}/fd/${fd}`).replace(/\[\d+\]$/, ''))
    .sort();

/** Its threads, as directories of /proc. */
export const threadsOf = (pid: number): readonly string[] =>
  list(`/proc/${pid}/task`).map((task) => `/proc/${pid}/task/${task}`);

const text = (path: string): string => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // it has just gone
  }
};

/** The processes that it started and that have not been waited for. */
export const childrenOf = (pid: number): readonly number[] =>
  threadsOf(pid)
    .flatMap((thread) => text(`${thread}/children`).split(' '))
    .filter((child) => child !== '')
    .map(Number);

/** Its command line, words separated by spaces; empty if it has ended. */
export const commandLine = (pid: number): string =>
  text(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();

export const nameOf = (pid: number): string => statOf(pid).name;

/** How often a thread was put on a processor. */
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

/** USER_HZ of every Linux that Node runs on. */
const ticksPerSecond = 100;

/** Seconds of processor time: its own, and that of the children it has waited for. */
export const cpuSeconds = (pid: number): { readonly own: number; readonly children: number } => {
  const { fields } = statOf(pid);
  const seconds = (...indices: number[]): number =>
    indices.reduce((sum, index) => sum + Number(fields[index]), 0) / ticksPerSecond;
  // utime and stime, cutime and cstime; proc(5) counts from the pid, which is two fields earlier.
  return { own: seconds(11, 12), children: seconds(13, 14) };
};
