/** A channel's sending end: a Writable that calls back when its bytes have gone out within the credit. */
import { Writable } from 'node:stream';
import { brokenPipe } from './channel-error.ts';
import { Violation } from './close-reason.ts';
import { initialWindow, maxPayload, maxWindow } from './limits.ts';
import type { Outbox } from './outbox.ts';

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

type Callback = (error?: Error | null) => void;

/** @param onWork called when there may be data to send */
export const createOutbound = (
  name: 'stdin' | 'stdout' | 'stderr',
  stream: number,
  onWork: () => void,
): Outbound => {
  let credit = initialWindow;
  let stopped = false;
  let pieces: readonly Buffer[] = [];
  let piece = 0;
  let offset = 0;
  let left = 0;
  let written: Callback | undefined;
  let endDue = false;
  let ended = false;
  let final: Callback | undefined;

  const begin = (buffers: readonly Buffer[], bytes: number, callback: Callback): void => {
    pieces = buffers;
    piece = 0;
    offset = 0;
    left = bytes;
    written = callback;
    onWork();
  };

  const writable = new Writable({
    highWaterMark: mostWaiting,
    write: (chunk: Buffer, _encoding, callback) => begin([chunk], chunk.length, callback),
    writev: (chunks, callback) => {
      const buffers = chunks.map(({ chunk }) => chunk as Buffer);
      begin(
        buffers,
        buffers.reduce((sum, { length }) => sum + length, 0),
        callback,
      );
    },
    final: (callback) => {
      final = callback;
      endDue = true;
      onWork();
    },
    destroy: (error, callback) => {
      const unwritten = written;
      pieces = [];
      left = 0;
      written = undefined;
      endDue = true;
      onWork();
      unwritten?.(error ?? brokenPipe());
      callback(error);
    },
  });
  writable.on('error', () => {});

  const putPieces = (outbox: Outbox, bytes: number): void => {
    let rest = bytes;
    while (rest > 0) {
      const from = pieces[piece] as Buffer;
      const part = from.subarray(offset, offset + rest);
      if (part.length > 0) outbox.put(part);
      rest -= part.length;
      offset += part.length;
      if (offset < from.length) break;
      piece += 1;
      offset = 0;
    }
    left -= bytes;
    credit -= bytes;
  };

  /** An empty write has nothing to send, but its callback is still due. */
  const finishWrite = (outbox: Outbox): void => {
    const callback = written;
    if (left > 0 || callback === undefined) return;
    written = undefined;
    pieces = [];
    outbox.whenFlushed(callback);
  };

  const send = (outbox: Outbox): void => {
    if (written === undefined) {
      ended = true;
      outbox.header(name, stream, 0);
      if (final !== undefined) outbox.whenFlushed(final);
      return;
    }
    const bytes = Math.min(left, credit, maxPayload);
    if (bytes > 0) {
      outbox.header(name, stream, bytes);
      putPieces(outbox, bytes);
    }
    finishWrite(outbox);
  };

  return {
    writable,
    grant: (bytes) => {
      if (stopped) throw new Violation('state', `credit for ${name} after its stop`);
      if (bytes === 0 || credit + bytes > maxWindow) {
        throw new Violation('credit', `${bytes} bytes of credit for ${name} on top of ${credit}`);
      }
      credit += bytes;
      onWork();
    },
    stop: () => {
      if (stopped) throw new Violation('state', `a second stop of ${name}`);
      stopped = true;
      writable.destroy(brokenPipe());
    },
    fail: (error) => {
      if (!writable.writableFinished) writable.destroy(error);
    },
    hasWork: () => (written === undefined ? endDue && !ended : left === 0 || credit > 0),
    send,
    hasEnded: () => ended,
  };
};
