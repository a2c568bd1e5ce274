/** What another VM writes to a terminal must be text: escape sequences could type, retitle and hide. */

import { Transform } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

// Control characters but for tab and line end, and what turns the direction of text. A carriage return alone overwrites.
const unsafe = /(?![\t\n]|\r\n)\p{Cc}|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Puts "_" for whatever a terminal might obey; what is no UTF-8 becomes U+FFFD. */
export const plainText = (): Transform => {
  const decoder = new StringDecoder('utf8');
  // A carriage return may be half of a line's end.
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
