/** The lines that one source may cause in the log: a burst, and then one line a second. */

const linesPerSecond = 1;

export type LogBudget = {
  /** Whether a line may be written now. */
  readonly isLeft: () => boolean;
  /** Takes a line. Returns the number of lines suppressed since the last one; undefined for none. */
  readonly take: () => number | undefined;
  /** Counts a line that is not written. */
  readonly suppress: () => void;
  /** A full budget has the same effect as a new one. */
  readonly isFull: () => boolean;
  /** Milliseconds until a line may be written; 0 if it may be written now. */
  readonly dueInMs: () => number;
};

/**
 * @param burst the most lines at once
 * @param now milliseconds of a monotonic clock
 * @param sources the number of sources that share the budget, which has as many more lines
 */
export const openLogBudget = (burst: number, now: () => number, sources = 1): LogBudget => {
  const most = burst * sources;
  let lines = most;
  let at = now();
  let suppressed = 0;
  const refilled = (): number => {
    const time = now();
    lines = Math.min(most, lines + ((time - at) / 1000) * linesPerSecond * sources);
    at = time;
    return lines;
  };
  return {
    isLeft: () => refilled() >= 1,
    take: () => {
      lines = refilled() - 1;
      const count = suppressed || undefined;
      suppressed = 0;
      return count;
    },
    suppress: () => {
      suppressed += 1;
    },
    isFull: () => refilled() === most,
    dueInMs: () => Math.max(0, ((1 - refilled()) / linesPerSecond / sources) * 1000),
  };
};
