const noticeable = 3000;

/** Prints a progress line to stderr; stdout is only for the result. */
export const say = (line: string): void => {
  process.stderr.write(`lab: ${line}\n`);
};

/** Runs a step, and prints its label if it takes more than 3 s. */
export const step = async <T>(label: string, work: () => Promise<T>): Promise<T> => {
  const timer = setTimeout(() => say(`${label} ...`), noticeable);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
};
