/** A write whose bytes are still to be sent. They are cut into frames without a copy. */

export type WriteCallback = (error?: Error | null) => void;

export type UnsentWrite = {
  readonly pieces: readonly Buffer[];
  /** The index of the first piece with unsent bytes, and their offset in it. */
  piece: number;
  offset: number;
  /** The number of unsent bytes in all pieces. */
  left: number;
  readonly callback: WriteCallback;
};

export const newWrite = (pieces: readonly Buffer[], callback: WriteCallback): UnsentWrite => ({
  pieces,
  piece: 0,
  offset: 0,
  left: pieces.reduce((sum, { length }) => sum + length, 0),
  callback,
});

/** Passes the next bytes to `put`, in one or more parts; at most `write.left` bytes can be taken. */
export const takeBytes = (write: UnsentWrite, bytes: number, put: (part: Buffer) => void): void => {
  let rest = bytes;
  while (rest > 0) {
    const from = write.pieces[write.piece] as Buffer;
    const part = from.subarray(write.offset, write.offset + rest);
    if (part.length > 0) put(part);
    rest -= part.length;
    write.offset += part.length;
    if (write.offset < from.length) break;
    write.piece += 1;
    write.offset = 0;
  }
  write.left -= bytes;
};
