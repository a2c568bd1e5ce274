/** What the console gets: a line per promise, and the end of the log of one that was missed. */

export type Result = {
  readonly part: string;
  readonly promise: string;
  readonly figure: string;
  readonly bound: string;
  readonly isMet: boolean;
  readonly minutes: number;
  readonly log: string;
};

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

/** The last lines that a person wants to see: no empty ones and no results in JSON. */
export const endOfLog = (output: string): string =>
  output
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('{'))
    .slice(-lastLines)
    .map((line) => `      ${line.slice(0, lineWidth)}`)
    .join('\n');
