/** A channel's sending end: a Writable that calls back when its bytes have gone out within the credit. */
import { Writable } from 'node:stream';
import { brokenPipe } from './call.ts';
import { Violation } from './close-reason.ts';
import { initialWindow, maxPayload, maxWindow } from './limits.ts';
import type { Outbox } from './outbox.ts';

/** The credit account of the sending end. */
type SendCredit = {
  /** The bytes that may still be sent. */
  left: number;
  /** Whether the peer has stopped reading. */
  stopped: boolean;
};

export const initialCredit = (): SendCredit => ({ left: initialWindow, stopped: false });

/**
 * Adds the peer's credit in bytes.
 * @throws Violation on an empty CREDIT, more than the greatest window, or a CREDIT after STOP
 */
export const addCredit = (credit: SendCredit, channel: string, bytes: number): void => {
  if (credit.stopped) throw new Violation('state', `credit for ${channel} after its stop`);
  if (bytes === 0 || credit.left + bytes > maxWindow) {
    const text = `${bytes} bytes of credit for ${channel} on top of ${credit.left}`;
    throw new Violation('credit', text);
  }
  credit.left += bytes;
};

/**
 * Notes that the peer has stopped reading.
 * @throws Violation on a second STOP
 */
export const stopCredit = (credit: SendCredit, channel: string): void => {
  if (credit.stopped) throw new Violation('state', `a second stop of ${channel}`);
  credit.stopped = true;
};

type WriteCallback = (error?: Error | null) => void;

/** A write whose bytes are still to be sent. They are cut into frames without a copy. */
type UnsentWrite = {
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

export type Outbound = {
  readonly writable: Writable;
  /**
   * Adds the peer's credit in bytes.
   * @throws Violation if it exceeds the greatest window
   */
  readonly grant: (bytes: number) => void;
  /**
   * Notes that the peer has stopped reading.
   * @throws Violation on a second STOP
   */
  readonly stop: () => void;
  /** Destroys the writable, unless it has finished. */
  readonly fail: (error: Error) => void;
  readonly hasWork: () => boolean;
  /** Sends one frame. Call it only if there is work. */
  readonly send: (outbox: Outbox) => void;
  readonly hasEnded: () => boolean;
};

/**
 * The Writable's high-water mark in bytes, as in Node 20. The default of later versions is four times as
 * large.
 */
const mostWaiting = 16 * 1024;

/** @param onWork called when there may be data to send */
export const createOutbound = (
  name: 'stdin' | 'stdout' | 'stderr',
  stream: number,
  onWork: () => void,
): Outbound => {
  const credit = initialCredit();
  let unsent: UnsentWrite | undefined;
  let endDue = false;
  let ended = false;
  let final: WriteCallback | undefined;

  const begin = (pieces: readonly Buffer[], callback: WriteCallback): void => {
    unsent = newWrite(pieces, callback);
    onWork();
  };

  const writable = new Writable({
    highWaterMark: mostWaiting,
    write: (chunk: Buffer, _encoding, callback) => begin([chunk], callback),
    writev: (chunks, callback) =>
      begin(
        chunks.map(({ chunk }) => chunk as Buffer),
        callback,
      ),
    final: (callback) => {
      final = callback;
      endDue = true;
      onWork();
    },
    destroy: (error, callback) => {
      const unwritten = unsent;
      unsent = undefined;
      endDue = true;
      onWork();
      unwritten?.callback(error ?? brokenPipe());
      callback(error);
    },
  });
  writable.on('error', () => {});

  const sendEnd = (outbox: Outbox): void => {
    ended = true;
    outbox.header(name, stream, 0);
    if (final !== undefined) outbox.whenFlushed(final);
  };

  const sendBytes = (outbox: Outbox, write: UnsentWrite): void => {
    const bytes = Math.min(write.left, credit.left, maxPayload);
    if (bytes > 0) {
      outbox.header(name, stream, bytes);
      takeBytes(write, bytes, outbox.put);
      credit.left -= bytes;
    }
    // An empty write has nothing to send, but its callback is still due.
    if (write.left > 0) return;
    unsent = undefined;
    outbox.whenFlushed(write.callback);
  };

  return {
    writable,
    grant: (bytes) => {
      addCredit(credit, name, bytes);
      onWork();
    },
    stop: () => {
      stopCredit(credit, name);
      writable.destroy(brokenPipe());
    },
    fail: (error) => {
      if (!writable.writableFinished) writable.destroy(error);
    },
    hasWork: () => (unsent === undefined ? endDue && !ended : unsent.left === 0 || credit.left > 0),
    send: (outbox) => (unsent === undefined ? sendEnd(outbox) : sendBytes(outbox, unsent)),
    hasEnded: () => ended,
  };
};
