/** An error or a warning about a file, with its place. */

/** Line and column count from 1. Without them, the place is the whole file. */
export type Place = {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
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
