/** Finds the line and column of a key in a valid TOML text, and shows that line with a caret. */
import { findOffset, type KeyPath } from './place-tree.ts';
import { placesOf } from './toml-places.ts';

type Caret = {
  /** Counts from 1. */
  readonly line: number;
  /** Counts from 1. */
  readonly column: number;
  readonly codeblock: string;
};

const caret = (text: string, offset: number): Caret => {
  const before = text.slice(0, offset);
  const number = before.split('\n').length;
  const column = offset - before.lastIndexOf('\n');
  const prefix = `${number}:  `;
  const pointer = `${' '.repeat(prefix.length + column - 1)}^`;
  const line = text.split('\n')[number - 1] ?? '';
  return { line: number, column, codeblock: `${prefix}${line}\n${pointer}` };
};

/**
 * Returns a function that finds a key path in the text. If the text does not contain the whole path, the
 * function finds its longest prefix that the text contains, or the first line.
 */
export const openCarets = (text: string): ((path: KeyPath) => Caret) => {
  const root = placesOf(text);
  return (path) => caret(text, findOffset(root, path));
};
