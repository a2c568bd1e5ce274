/** What is wrong with a file, or odd about it, and where. */

/** Line and column count from 1; without them, the file as a whole is meant. */
export type Place = {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
};

export type Diagnostic = {
  /** A warning hinders nothing. */
  readonly severity: 'error' | 'warning';
  readonly place: Place;
  readonly text: string;
};

/** `file:line:column`, or as much of it as there is. */
export const placeText = ({ file, line, column }: Place): string =>
  [file, line, column].filter((part) => part !== undefined).join(':');
