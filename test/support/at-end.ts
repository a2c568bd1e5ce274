/** Cleaning up that must not depend on whether a test succeeds, fails or hangs. */

const works: (() => void)[] = [];

const finish = (): void => {
  for (const work of works.splice(0)) work();
};

/**
 * Does `work` when this process ends: by itself, or by SIGTERM, with which vitest ends its workers, one for each file,
 * and which is no "exit" to Node.
 */
export const atEnd = (work: () => void): void => {
  works.push(work);
  if (works.length > 1) return;
  process.once('exit', finish);
  process.once('SIGTERM', () => {
    finish();
    process.kill(process.pid, 'SIGTERM');
  });
};
