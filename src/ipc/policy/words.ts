/** The words of a line, with their columns. */

export type Word = { readonly text: string; readonly column: number };

/** Reports an error in the current line. */
export type Report = (column: number, text: string) => void;

/** Splits a line at spaces and tabs. Columns begin at 1. */
export const splitWords = (line: string): Word[] =>
  [...line.matchAll(/[^ \t]+/g)].map(({ 0: text, index }) => ({ text, column: index + 1 }));
