/** What a test counted or measured, on one line of its output: people read it there, and `npm run nightly` does. */

export type Figures = Readonly<Record<string, number>>;

const mark = 'figures: ';

export const printFigures = (figures: Figures): void => {
  console.info(`${mark}${JSON.stringify(figures)}`);
};

/** The figures that were printed last in this output. */
export const readFigures = (output: string): Figures | undefined => {
  const line = output.split('\n').findLast((text) => text.startsWith(mark));
  return line === undefined ? undefined : JSON.parse(line.slice(mark.length));
};
