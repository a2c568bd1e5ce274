import { execa } from 'execa';

/** Moves this process and its future children to processors, given as a list for taskset. */
const moveTo = async (processors: string): Promise<void> => {
  await execa('taskset', ['--all-tasks', '--cpu-list', '--pid', processors, `${process.pid}`]);
};

/** The processors of this process, as a list for taskset. */
const processorsNow = async (): Promise<string> => {
  const { stdout } = await execa('taskset', ['--cpu-list', '--pid', `${process.pid}`]);
  return stdout.split(': ')[1] ?? '';
};

/**
 * Runs the body and the processes that it starts on one processor. Otherwise a measurement of processes that
 * work by turns would depend on the kernel's choice of processors: a wakeup on another processor costs four
 * times as much.
 */
export const onOneProcessor = async <T>(body: () => Promise<T>): Promise<T> => {
  const before = await processorsNow();
  await moveTo('0');
  try {
    return await body();
  } finally {
    await moveTo(before);
  }
};
