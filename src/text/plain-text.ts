/** Filters another VM's output for a terminal: escape sequences could type input, set titles or hide text. */

import { Transform } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { terminalText } from './printable.ts';

/** Replaces characters that could control a terminal with "_", and invalid UTF-8 with U+FFFD. */
export const plainText = (): Transform => {
  const decoder = new StringDecoder('utf8');
  // A carriage return at a chunk's end may be the first half of a line end.
  let pending = '';
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const text = pending + decoder.write(chunk);
      pending = text.endsWith('\r') ? '\r' : '';
      done(null, terminalText(text.slice(0, text.length - pending.length)));
    },
    flush(done) {
      done(null, terminalText(pending + decoder.end()));
    },
  });
};
