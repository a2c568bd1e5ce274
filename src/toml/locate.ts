/** Finds the line and column of a key in a valid TOML text, and shows that line with a caret. */
import { type Position, positionAt } from '../text/diagnostic.ts';
import { findOffset, type KeyPath } from './place-tree.ts';
import { placesOf } from './toml-places.ts';

type Caret = Position & { readonly codeblock: string };

const caret = (text: string, offset: number): Caret => {
  const position = positionAt(text, offset);
  const prefix = `${position.line}:  `;
  const pointer = `${' '.repeat(prefix.length + position.column - 1)}^`;
  const line = text.split('\n')[position.line - 1] ?? '';
  return { ...position, codeblock: `${prefix}${line}\n${pointer}` };
};

/**
 * Returns a function that finds a key path in the text. If the text does not contain the whole path, the
 * function finds its longest prefix that the text contains, or the first line.
 */
export const openCarets = (text: string): ((path: KeyPath) => Caret) => {
  const root = placesOf(text);
  return (path) => caret(text, findOffset(root, path));
};
