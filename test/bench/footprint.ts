/** What a process costs while nothing happens: from /proc. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const field = (file: string, name: string): number => {
  const line = readFileSync(file, 'latin1')
    .split('\n')
    .find((one) => one.startsWith(`${name}:`));
  return Number(line?.split(/\s+/)[1]);
};

/** What `read` reads of a process or thread; `gone` if that has ended. */
const ifAlive = <T>(read: () => T, gone: T): T => {
  try {
    return read();
  } catch (error) {
    // ESRCH: it ended between the opening and the reading.
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return gone;
    throw error;
  }
};

const threadsOf = (pid: number): string[] =>
  ifAlive(() => readdirSync(`/proc/${pid}/task`), []).map((task) => `/proc/${pid}/task/${task}`);

const childrenOf = (pid: number): number[] =>
  threadsOf(pid).flatMap((thread) =>
    ifAlive(() => readFileSync(`${thread}/children`, 'latin1'), '')
      .split(' ')
      .filter(Boolean)
      .map(Number),
  );

/** The process and all that it started and that still run. */
const family = (pid: number): number[] => [pid, ...childrenOf(pid).flatMap(family)];

/** Resident memory, MiB. */
export const rssMiB = (pid: number): number => field(`/proc/${pid}/status`, 'VmRSS') / 1024;

/** How often a thread was put on a processor. */
const switchesOf = (thread: string): number =>
  ifAlive(() => {
    const file = `${thread}/status`;
    return field(file, 'voluntary_ctxt_switches') + field(file, 'nonvoluntary_ctxt_switches');
  }, 0);

/** The same of all threads of these processes. */
const switches = (pids: readonly number[]): number =>
  pids.flatMap(threadsOf).reduce((sum, thread) => sum + switchesOf(thread), 0);

/** A process that has nothing to do is woken at most for a read of its store now and then. */
const idleSwitches = 20;

/** Waits until the process, and all that it started, have had nothing to do for so long. */
export const untilIdle = async (pid: number, stretchMs = 100): Promise<void> => {
  for (;;) {
    const pids = family(pid);
    const before = switches(pids);
    await delay(stretchMs);
    const isSameFamily = family(pid).join() === pids.join();
    if (isSameFamily && switches(pids) - before <= idleSwitches) return;
  }
};

/** Wakeups per second over a stretch of time. */
export const wakeupsPerSecond = async (pid: number, seconds: number): Promise<number> => {
  const pids = family(pid);
  const before = switches(pids);
  await delay(seconds * 1000);
  return (switches(pids) - before) / seconds;
};

/** Runs a program and prints how often it, and all that it ran and waited for, were put on a processor. */
export const countingSwitches = [
  'python3',
  '-c',
  `import resource, subprocess, sys
subprocess.run(sys.argv[1:])
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(usage.ru_nvcsw + usage.ru_nivcsw)`,
];
