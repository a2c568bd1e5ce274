/** A test's counts and measurements, printed as one line for people and for `npm run nightly`. */

export type Figures = Readonly<Record<string, number>>;

const mark = 'figures: ';

/** Prints figures on one line, which `readFigures` finds. */
export const printFigures = (figures: Figures): void => {
  console.info(`${mark}${JSON.stringify(figures)}`);
};

/** The last printed figures in an output. */
export const readFigures = (output: string): Figures | undefined => {
  const line = output.split('\n').findLast((text) => text.startsWith(mark));
  return line === undefined ? undefined : JSON.parse(line.slice(mark.length));
};
