/** Text that anybody may have written, made fit for people to read. */

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

/** The beginning of a text that a guest or an operator chose, with "?" for what is not printable. */
export const excerpt = (text: string): string =>
  text.replace(/[^\x20-\x7e]/g, '?').slice(0, 60) + (text.length > 60 ? '…' : '');
