/** The words of a line, each with the column at which it stands. */

export type Word = { readonly text: string; readonly column: number };

/** Says what is wrong in the line that is being read. */
export type Report = (column: number, text: string) => void;

export const splitWords = (line: string): Word[] =>
  [...line.matchAll(/[^ \t]+/g)].map(({ 0: text, index }) => ({ text, column: index + 1 }));
