/** A test's counts and measurements, printed as one line for people and for `npm run nightly`. */

export type Figures = Readonly<Record<string, number>>;

const mark = 'figures: ';

/** Prints figures on one line, which `readFigures` finds. */
export const printFigures = (figures: Figures): void => {
  console.info(`${mark}${JSON.stringify(figures)}`);
};

/** All printed figures in an output; of figures with the same name, the last one. */
export const readFigures = (output: string): Figures | undefined => {
  const lines = output.split('\n').filter((text) => text.startsWith(mark));
  if (lines.length === 0) return undefined;
  return Object.assign({}, ...lines.map((line) => JSON.parse(line.slice(mark.length))));
};
