/** Strings on the wire: bytes with a length before them, checked before they are strings. */
import { Violation } from './close-reason.ts';
import { maxText } from './limits.ts';

/** Printable ASCII, at most 200 bytes: what may be shown and sent. */
export const wireText = (text: string): string => text.slice(0, maxText).replaceAll(/[^ -~]/g, '?');

/** Throws a Violation if there is anything but printable ASCII. */
export const readText = (bytes: Buffer): string => {
  const text = bytes.toString('latin1');
  if (!/^[ -~]*$/.test(text)) throw new Violation('payload', 'text is not printable');
  return text;
};

/** The bytes after a length byte at `at`. Throws a Violation if they are not all there. */
export const readField = (payload: Buffer, at: number): Buffer => {
  const length = payload[at];
  if (length === undefined || at + 1 + length > payload.length) {
    throw new Violation('payload', 'a string goes beyond its frame');
  }
  return payload.subarray(at + 1, at + 1 + length);
};
