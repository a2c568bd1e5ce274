/** A channel's receiving end: a Readable that grants credit only when its consumer takes bytes. */
import { Readable } from 'node:stream';
import { initialWindow } from './limits.ts';
import {
  newReadiness,
  noteClosed,
  noteReceived,
  noteTaken,
  takeGrant,
  takeStop,
} from './readiness.ts';
import type { GrowthBudget } from './window.ts';

/** The blocks in which bytes wait for their consumer, the oldest first; tiny frames share a block. */
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

export type Inbound = {
  readonly readable: Readable;
  /**
   * Takes the peer's data; an empty payload is the end.
   * @throws Violation on data beyond the credit or the end
   */
  readonly receive: (payload: Buffer) => void;
  readonly hasEnded: () => boolean;
  /** Ends the channel without a frame from the peer: a refusal or a cancelled call's exit implies the end. */
  readonly end: () => void;
  /** Destroys the readable, unless the end has come already. */
  readonly fail: (error: Error) => void;
  /** Returns the credit to grant now, in bytes; 0 if none is due. */
  readonly takeGrant: () => number;
  /** Whether a STOP is due, because the consumer has stopped reading. True only once. */
  readonly takeStop: () => boolean;
};

/** Copies a small part of a large chunk, because the part would keep the whole chunk in memory. */
const detached = (payload: Buffer): Buffer =>
  payload.length * 4 < payload.buffer.byteLength ? Buffer.from(payload) : payload;

/** @param onControl called when a CREDIT or STOP is due */
export const createInbound = (
  budget: GrowthBudget,
  name: string,
  onControl: () => void,
): Inbound => {
  const readiness = newReadiness();
  const waiting: PackedBytes = [];
  let wanted = false;
  /** The bytes in the Readable's own buffer, for which no credit is due yet. */
  let handed = 0;

  const taken = (bytes: number): void => {
    if (noteTaken(readiness, bytes)) onControl();
  };

  const hand = (bytes: Buffer): void => {
    wanted = readable.push(bytes);
    if (wanted) taken(bytes.length);
    else handed += bytes.length;
  };

  const drain = (): void => {
    while (wanted) {
      const bytes = unpack(waiting);
      if (bytes === undefined) break;
      hand(bytes);
    }
    if (readiness.ended && waiting.length === 0 && !readiness.closed) readable.push(null);
  };

  const readable = new Readable({
    // The window is the buffer, so the Readable itself needs to hold only one piece.
    highWaterMark: 1,
    read: () => {
      taken(handed);
      handed = 0;
      wanted = true;
      drain();
    },
    destroy: (error, callback) => {
      waiting.length = 0;
      if (noteClosed(readiness, budget)) onControl();
      callback(error);
    },
  });
  readable.on('error', () => {});

  return {
    readable,
    receive: (payload) => {
      noteReceived(readiness, name, payload.length);
      if (readiness.closed) return;
      if (readiness.ended) drain();
      else if (wanted && waiting.length === 0) hand(detached(payload));
      else pack(waiting, payload);
    },
    hasEnded: () => readiness.ended,
    end: () => {
      readiness.ended = true;
      drain();
    },
    fail: (error) => {
      if (!readiness.ended) readable.destroy(error);
    },
    takeGrant: () => takeGrant(readiness, budget),
    takeStop: () => takeStop(readiness),
  };
};
