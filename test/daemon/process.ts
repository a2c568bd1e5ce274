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

export const threadCount = (pid: number): number => list(`/proc/${pid}/task`).length;

/** The names of the processes that it started and that have not been waited for. */
export const childrenOf = (pid: number): readonly string[] =>
  list(`/proc/${pid}/task`)
    .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').split(' '))
    .filter((child) => child !== '')
    .map((child) => statOf(Number(child)).name)
    .sort();

const statOf = (pid: number): { readonly name: string; readonly fields: readonly string[] } => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [, name = '', rest = ''] = /\((.*)\) (.*)/s.exec(text) ?? [];
    return { name, fields: rest.split(' ') };
  } catch {
    return { name: 'gone', fields: [] };
  }
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
