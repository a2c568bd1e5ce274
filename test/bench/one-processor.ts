import { execa } from 'execa';

/** Moves this process, and so all that it starts from now on, to these processors: a list as taskset takes it. */
const moveTo = async (processors: string): Promise<void> => {
  await execa('taskset', ['--all-tasks', '--cpu-list', '--pid', processors, `${process.pid}`]);
};

/** Where this process may run now. */
const processorsNow = async (): Promise<string> => {
  const { stdout } = await execa('taskset', ['--cpu-list', '--pid', `${process.pid}`]);
  return stdout.split(': ')[1] ?? '';
};

/**
 * Runs the body, and all that it starts, on one processor. Where processes take turns all the time, it is else the
 * kernel's choice of their processors that is measured: to wake one elsewhere costs four times as much.
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
