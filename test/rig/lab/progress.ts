const noticeable = 3000;

/** Says one line about the lab's own work; stdout is left to the result. */
export const say = (line: string): void => {
  process.stderr.write(`lab: ${line}\n`);
};

/** Runs a step, and says what it is once it has taken more than 3 s. */
export const step = async <T>(label: string, work: () => Promise<T>): Promise<T> => {
  const timer = setTimeout(() => say(`${label} ...`), noticeable);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
};
