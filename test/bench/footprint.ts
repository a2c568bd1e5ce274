/** What a process costs while nothing happens. */
import { setTimeout as delay } from 'node:timers/promises';
import { childrenOf, switchesOf, threadsOf } from '../rig/process.ts';
import { until } from '../support/until.ts';

/** The process and all that it started and that still run. */
const family = (pid: number): number[] => [pid, ...childrenOf(pid).flatMap(family)];

/** How often any thread of these processes was put on a processor. */
const switches = (pids: readonly number[]): number =>
  pids.flatMap(threadsOf).reduce((sum, thread) => sum + switchesOf(thread), 0);

/** A process that has nothing to do is woken at most for a read of its store now and then. */
const idleSwitches = 20;

/** Waits until the process, and all that it started, have had nothing to do for so long. */
export const untilIdle = (pid: number, stretchMs = 100): Promise<void> =>
  until(`process ${pid} is idle for ${stretchMs} ms`, async () => {
    const pids = family(pid);
    const before = switches(pids);
    await delay(stretchMs);
    const isSameFamily = family(pid).join() === pids.join();
    return isSameFamily && switches(pids) - before <= idleSwitches;
  });

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
