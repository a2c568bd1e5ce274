/** Makes text from untrusted sources safe to show in terminals and logs. */

/** Escapes `"`, `\` and every character that is not printable ASCII as `\u{hex}`. */
export const printable = (text: string): string =>
  text.replace(
    /[^ !#-[\]-~]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`,
  );

/** Enough characters to find the text in its file. */
const longest = 80;

/** Returns the text in quotes, escaped as by `printable` and cut after 80 characters. */
export const quoted = (text: string): string =>
  `"${printable(text.slice(0, longest))}${text.length > longest ? '...' : ''}"`;

/** Returns the first 60 characters of a guest's or operator's text, with "?" for unprintable ones. */
export const excerpt = (text: string): string =>
  text.replace(/[^\x20-\x7e]/g, '?').slice(0, 60) + (text.length > 60 ? '…' : '');
