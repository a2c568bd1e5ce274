/** An error or a warning about a file, with its place. */

/** Line and column count from 1. */
export type Position = { readonly line: number; readonly column: number };

/** Without a position, the place is the whole file. */
export type Place = { readonly file: string } & Partial<Position>;

/** Converts an offset in a text. */
export const positionAt = (text: string, offset: number): Position => {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
};

export type Diagnostic = {
  /** A file with warnings only is accepted. */
  readonly severity: 'error' | 'warning';
  readonly place: Place;
  readonly text: string;
};

/** Returns `file:line:column`, without the parts that the place lacks. */
export const placeText = ({ file, line, column }: Place): string =>
  [file, line, column].filter((part) => part !== undefined).join(':');

/** Returns the first diagnostic with its place, and the number of the others. */
export const firstOfDiagnostics = ([first, ...others]: readonly Diagnostic[]): string => {
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  return `${first && placeText(first.place)}: ${first?.text}${more}`;
};
