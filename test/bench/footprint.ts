/** The cost of an idle process. */
import { setTimeout as delay } from 'node:timers/promises';
import { childrenOf, switchesOf, threadsOf } from '../rig/process.ts';
import { until } from '../support/until.ts';

/** The process and its running descendants. */
const family = (pid: number): number[] => [pid, ...childrenOf(pid).flatMap(family)];

/** How often the scheduler has put the threads of these processes on a processor. */
const switches = (pids: readonly number[]): number =>
  pids.flatMap(threadsOf).reduce((sum, thread) => sum + switchesOf(thread), 0);

/** The most switches of an idle process, which only reads xenstore now and then. */
const idleSwitches = 20;

/** Waits until the process and its descendants have been idle for `stretchMs`. */
export const untilIdle = (pid: number, stretchMs = 100): Promise<void> =>
  until(`process ${pid} is idle for ${stretchMs} ms`, async () => {
    const pids = family(pid);
    const before = switches(pids);
    await delay(stretchMs);
    const isSameFamily = family(pid).join() === pids.join();
    return isSameFamily && switches(pids) - before <= idleSwitches;
  });

/** Counts the wakeups per second of the process and its descendants for `seconds`. */
export const wakeupsPerSecond = async (pid: number, seconds: number): Promise<number> => {
  const pids = family(pid);
  const before = switches(pids);
  await delay(seconds * 1000);
  return (switches(pids) - before) / seconds;
};

/**
 * The command that runs a program and prints how often the program and its children were put on a processor.
 */
export const countingSwitches = [
  'python3',
  '-c',
  `import resource, subprocess, sys
subprocess.run(sys.argv[1:])
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(usage.ru_nvcsw + usage.ru_nivcsw)`,
];
