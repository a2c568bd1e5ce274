/** Strings on the wire: their bytes are checked before they become strings. */
import { asciiText } from '../../text/printable.ts';
import { Violation } from './close-reason.ts';
import { maxText } from './limits.ts';

/** Cuts a text at 200 characters, and replaces all but printable ASCII with "?". */
export const wireText = (text: string): string => asciiText(text.slice(0, maxText));

/** @throws Violation if a byte is not printable ASCII */
export const readText = (bytes: Buffer): string => {
  const text = bytes.toString('latin1');
  if (!/^[ -~]*$/.test(text)) throw new Violation('payload', 'text is not printable');
  return text;
};

/**
 * Returns the bytes after the length byte at `at`.
 * @throws Violation if the payload ends before them
 */
export const readField = (payload: Buffer, at: number): Buffer => {
  const length = payload[at];
  if (length === undefined || at + 1 + length > payload.length) {
    throw new Violation('payload', 'a string goes beyond its frame');
  }
  return payload.subarray(at + 1, at + 1 + length);
};
