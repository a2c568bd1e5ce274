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

/**
 * Returns the greatest version that both ends support.
 * @throws Violation if there is none
 */
export const readHello = (payload: Buffer): number => {
  if (payload.toString('latin1', 0, 4) !== magic)
    throw new Violation('hello', 'hello does not begin with VFWI');
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
  // Only checked: the name is for display and proves nothing.
  readText(name);
  return version;
};

export const encodeGoodbye = ({ code, text }: CloseReason): Buffer =>
  Buffer.from(`${String.fromCharCode(closeCodes.indexOf(code) + 1)}${wireText(text)}`, 'latin1');

/** Accepts any payload, because the link is over in any case. */
export const readGoodbye = (payload: Buffer): Closed => ({
  kind: 'peer',
  code: closeCodes[(payload[0] ?? 0) - 1] ?? 'unknown',
  text: wireText(payload.toString('latin1', 1)),
});
