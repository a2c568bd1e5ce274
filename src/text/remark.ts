/** What is wrong with a policy, or odd about it, and where. */

export type Remark = {
  /** `file:line:column`, counted from 1, or `file` alone. */
  readonly place: string;
  readonly text: string;
};

/** Fit for a terminal and a log, whatever the bytes. */
export const printable = (text: string): string =>
  text.replace(
    /[^ !#-[\]-~]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`,
  );

/** What is longer helps nobody to find it. */
const longest = 80;

export const quoted = (text: string): string =>
  `"${printable(text.slice(0, longest))}${text.length > longest ? '...' : ''}"`;
