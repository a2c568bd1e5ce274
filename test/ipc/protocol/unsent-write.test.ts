import { expect, test } from 'vitest';
import { newWrite, takeBytes } from '../../../src/ipc/protocol/outbound.ts';

/** Takes bytes from a write, and gives the parts as text. */
const taken = (write: ReturnType<typeof newWrite>, bytes: number): readonly string[] => {
  const parts: string[] = [];
  takeBytes(write, bytes, (part) => parts.push(`${part}`));
  return parts;
};

const writeOf = (...pieces: string[]) =>
  newWrite(
    pieces.map((piece) => Buffer.from(piece)),
    () => {},
  );

test('bytes are taken across pieces and within one', () => {
  const write = writeOf('abc', 'defg', 'h');
  expect(write.left).toBe(8);
  expect(taken(write, 2)).toEqual(['ab']);
  expect(taken(write, 3)).toEqual(['c', 'de']);
  expect(write.left).toBe(3);
  expect(taken(write, 3)).toEqual(['fg', 'h']);
  expect(write.left).toBe(0);
});

test('empty pieces give no parts', () => {
  const write = writeOf('', 'a', '', 'b', '');
  expect(taken(write, 2)).toEqual(['a', 'b']);
  expect([writeOf('', '').left, taken(writeOf(''), 0)]).toEqual([0, []]);
});

test('the parts share the memory of the pieces', () => {
  const piece = Buffer.from('shared');
  takeBytes(
    newWrite([piece], () => {}),
    6,
    (part) => expect(part.buffer).toBe(piece.buffer),
  );
});
