/** What a process costs while nothing happens: from /proc. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const field = (file: string, name: string): number => {
  const line = readFileSync(file, 'latin1')
    .split('\n')
    .find((one) => one.startsWith(`${name}:`));
  return Number(line?.split(/\s+/)[1]);
};

const childrenOf = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1')
      .split(' ')
      .filter(Boolean)
      .map(Number),
  );

/** The process and all that it started and that still run. */
const family = (pid: number): number[] => [pid, ...childrenOf(pid).flatMap(family)];

/** Resident memory, MiB. */
export const rssMiB = (pid: number): number => field(`/proc/${pid}/status`, 'VmRSS') / 1024;

/** How often any thread of the family was put on a processor. */
const switches = (pid: number): number =>
  family(pid)
    .flatMap((one) =>
      readdirSync(`/proc/${one}/task`).map((task) => `/proc/${one}/task/${task}/status`),
    )
    .map(
      (file) => field(file, 'voluntary_ctxt_switches') + field(file, 'nonvoluntary_ctxt_switches'),
    )
    .reduce((sum, count) => sum + count, 0);

/** Wakeups per second over a stretch of time. */
export const wakeupsPerSecond = async (pid: number, seconds: number): Promise<number> => {
  const before = switches(pid);
  await delay(seconds * 1000);
  return (switches(pid) - before) / seconds;
};
