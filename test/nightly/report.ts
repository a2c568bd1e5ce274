/** The console output: a line for each promise, and the end of the log after a miss. */

export type Result = {
  readonly part: string;
  readonly promise: string;
  readonly figure: string;
  readonly bound: string;
  readonly isMet: boolean;
  readonly minutes: number;
  readonly log: string;
};

/** The line of a promise for the console, which begins with its verdict. */
export const lineOf = (
  { part, promise, figure, bound, isMet, minutes, log }: Result,
  partWidth: number,
): string => {
  const verdict = (isMet ? 'ok' : 'MISS').padEnd(4);
  const what = `${promise}: ${figure} (${bound})`;
  return `${verdict}  ${part.padEnd(partWidth)}  ${what}  ${minutes.toFixed(1)} min  ${log}`;
};

const lastLines = 20;
const lineWidth = 200;

/** The last lines of a log for people, without empty lines and JSON results. */
export const endOfLog = (output: string): string =>
  output
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('{'))
    .slice(-lastLines)
    .map((line) => `      ${line.slice(0, lineWidth)}`)
    .join('\n');
