/**
 * Makes text from untrusted sources safe to show in terminals and logs. Each variant says
 * what it changes.
 */

const escaped = (text: string, unsafe: RegExp): string =>
  text.replaceAll(unsafe, (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`);

/** Escapes `"`, `\` and every character that is not printable ASCII as `\u{hex}`. */
export const printable = (text: string): string => escaped(text, /[^ !#-[\]-~]/gu);

/** Escapes only characters that end a line, control a terminal or are invisible. */
export const printableLine = (text: string): string =>
  escaped(text, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu);

/** Escapes only control characters, except tabs and newlines. */
export const printableLines = (text: string): string => escaped(text, /(?![\n\t])\p{Cc}/gu);

/** Replaces every UTF-16 code unit that is not printable ASCII with "?". The length stays the same. */
export const asciiText = (text: string): string => text.replaceAll(/[^ -~]/g, '?');

/**
 * Replaces control characters, except tabs and line ends, and characters that change the text direction
 * with "_". A carriage return without a newline would let later text overwrite the line.
 */
export const terminalText = (text: string): string =>
  text.replaceAll(/(?![\t\n]|\r\n)\p{Cc}|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '_');

/** Enough characters to find the text in its file. */
const longest = 80;

/** Returns the text in quotes, escaped as by `printable` and cut after 80 characters. */
export const quoted = (text: string): string =>
  `"${printable(text.slice(0, longest))}${text.length > longest ? '...' : ''}"`;

/** Returns the first 60 characters of a guest's or operator's text, with "?" for unprintable ones. */
export const excerpt = (text: string): string =>
  asciiText(text).slice(0, 60) + (text.length > 60 ? '…' : '');
