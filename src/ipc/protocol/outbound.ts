/** A channel's sending end: a Writable that calls back when its bytes have gone out within the credit. */
import { Writable } from 'node:stream';
import { brokenPipe } from './channel-error.ts';
import { maxPayload } from './limits.ts';
import type { Outbox } from './outbox.ts';
import { addCredit, initialCredit, stopCredit } from './send-credit.ts';
import { newWrite, takeBytes, type UnsentWrite, type WriteCallback } from './unsent-write.ts';

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
