/** Clean-up at the end of this process, whether a test succeeds, fails or hangs. */

const works: (() => void)[] = [];

const finish = (): void => {
  for (const work of works.splice(0)) work();
};

/**
 * Calls `work` when this process exits or gets SIGTERM. Vitest ends its workers, one for each file, with
 * SIGTERM, for which Node emits no "exit" event.
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
