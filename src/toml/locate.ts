/** Where a key of a valid TOML text stands, as people are shown it. */
import { type KeyPath, openPlaces } from './toml-places.ts';

export type Caret = {
  /** From 1. */
  readonly line: number;
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

/** Finds the line and column of the longest beginning of a path that the text spells out; else the first line. */
export const openCarets = (text: string): ((path: KeyPath) => Caret) => {
  const offsetOf = openPlaces(text);
  return (path) => caret(text, offsetOf(path));
};

/** The same for one path. */
export const caretAt = (text: string, path: KeyPath): Caret => openCarets(text)(path);
