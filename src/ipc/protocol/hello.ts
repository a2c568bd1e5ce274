/** The payloads of HELLO and GOODBYE. */
import { type Closed, type CloseReason, closeCodes, Violation } from './close-reason.ts';
import { greatestVersion, leastVersion, maxName } from './limits.ts';
import { readField, readText, wireText } from './text.ts';

const magic = 'VFWI';

export const encodeHello = (name: string): Buffer => {
  const shown = wireText(name).slice(0, maxName);
  const payload = Buffer.alloc(9 + shown.length);
  payload.write(magic, 0, 'latin1');
  payload.writeUInt16LE(leastVersion, 4);
  payload.writeUInt16LE(greatestVersion, 6);
  payload[8] = shown.length;
  payload.write(shown, 9, 'latin1');
  return payload;
};

/** The version that both ends speak. Throws a Violation if there is none. */
export const readHello = (payload: Buffer): number => {
  if (payload.toString('latin1', 0, 4) !== magic)
    throw new Violation('hello', 'no magic in the hello');
  const [least, most] = [payload.readUInt16LE(4), payload.readUInt16LE(6)];
  const version = Math.min(greatestVersion, most);
  if (version < leastVersion || version < least) {
    throw new Violation(
      'version',
      `this side speaks versions ${leastVersion} to ${greatestVersion}, the peer ${least} to ${most}`,
    );
  }
  const name = readField(payload, 8);
  if (9 + name.length !== payload.length) throw new Violation('hello', 'bytes after the name');
  // For display, by who wants to: it is a claim.
  readText(name);
  return version;
};

export const encodeGoodbye = ({ code, text }: CloseReason): Buffer =>
  Buffer.from(`${String.fromCharCode(closeCodes.indexOf(code) + 1)}${wireText(text)}`, 'latin1');

/** Total: whatever it says, the link is over. */
export const readGoodbye = (payload: Buffer): Closed => ({
  kind: 'peer',
  code: closeCodes[(payload[0] ?? 0) - 1] ?? 'unknown',
  text: wireText(payload.toString('latin1', 1)),
});
