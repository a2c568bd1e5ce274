/** The bytes that wait for their consumer. They are packed, so that tiny frames do not waste memory. */
import { initialWindow } from './limits.ts';

/** The blocks in which the bytes wait, the oldest first. */
export type PackedBytes = { readonly bytes: Buffer; used: number }[];

/**
 * The size of a channel's first block in bytes. It is small, as most calls carry little data; later blocks
 * double.
 */
const leastBlock = 256;

/** Adds a copy of the payload. */
export const pack = (blocks: PackedBytes, payload: Buffer): void => {
  const last = blocks.at(-1);
  const fits = last === undefined ? 0 : payload.copy(last.bytes, last.used);
  if (last !== undefined) last.used += fits;
  const rest = payload.length - fits;
  if (rest === 0) return;
  const usual = Math.min(2 * (last?.bytes.length ?? leastBlock / 2), initialWindow);
  const bytes = Buffer.allocUnsafeSlow(Math.max(rest, usual));
  payload.copy(bytes, 0, fits);
  blocks.push({ bytes, used: rest });
};

/** Removes the oldest block and returns its bytes; undefined if no bytes wait. */
export const unpack = (blocks: PackedBytes): Buffer | undefined => {
  const block = blocks.shift();
  return block?.bytes.subarray(0, block.used);
};
