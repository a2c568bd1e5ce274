/** Filters another VM's output for a terminal: escape sequences could type input, set titles or hide text. */

import { Transform } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

// All control characters except tab and line end, and the characters that change the text direction.
// A carriage return without a newline would let later text overwrite the line.
const unsafe = /(?![\t\n]|\r\n)\p{Cc}|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Replaces characters that could control a terminal with "_", and invalid UTF-8 with U+FFFD. */
export const plainText = (): Transform => {
  const decoder = new StringDecoder('utf8');
  // A carriage return at a chunk's end may be the first half of a line end.
  let held = '';
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const text = held + decoder.write(chunk);
      held = text.endsWith('\r') ? '\r' : '';
      done(null, text.slice(0, text.length - held.length).replace(unsafe, '_'));
    },
    flush(done) {
      done(null, (held + decoder.end()).replace(unsafe, '_'));
    },
  });
};
