/** Writes frames to the transport. It gathers small frames, and passes on large payloads without a copy. */
import type { Writable } from 'node:stream';
import { type FrameName, writeHeader } from './frame.ts';
import { headerBytes, transportBacklog } from './limits.ts';

export type Outbox = {
  /** False while the transport still holds a full backlog. */
  readonly hasRoom: () => boolean;
  /** Adds a frame's header. The caller adds the payload with put(). */
  readonly header: (name: FrameName, stream: number, length: number) => void;
  /** Adds payload bytes. They must not change until the transport has written them. */
  readonly put: (bytes: Buffer) => void;
  readonly frame: (name: FrameName, stream: number, payload: Buffer) => void;
  /** Calls back once all bytes added so far are handed to the transport. */
  readonly whenFlushed: (callback: () => void) => void;
  /** Hands all bytes to the transport, in one write if it supports that. */
  readonly flush: () => void;
  /** The bytes handed to the transport so far. */
  readonly sent: () => number;
};

const slabBytes = 16_384;

/** Up to this size, a copy is cheaper than another write. */
const smallBytes = 1024;

/** @param onRoom called when the transport has written a batch */
export const createOutbox = (transport: Writable, onRoom: () => void): Outbox => {
  let slab = Buffer.allocUnsafeSlow(slabBytes);
  let start = 0;
  let end = 0;
  let batch = 0;
  let inFlight = 0;
  let total = 0;
  let corked = false;
  let flushed: (() => void)[] = [];

  const write = (bytes: Buffer, done?: () => void): void => {
    if (!corked) transport.cork();
    corked = true;
    transport.write(bytes, done);
  };

  const writeGathered = (done?: () => void): void => {
    if (end === start && done === undefined) return;
    write(slab.subarray(start, end), done);
    start = end;
  };

  const reserve = (bytes: number): void => {
    if (slab.length - end >= bytes) return;
    writeGathered();
    slab = Buffer.allocUnsafeSlow(slabBytes);
    start = 0;
    end = 0;
  };

  const header = (name: FrameName, stream: number, length: number): void => {
    reserve(headerBytes);
    writeHeader(slab, end, name, stream, length);
    end += headerBytes;
    batch += headerBytes;
  };

  const put = (bytes: Buffer): void => {
    batch += bytes.length;
    if (bytes.length > smallBytes) {
      writeGathered();
      write(bytes);
      return;
    }
    reserve(bytes.length);
    bytes.copy(slab, end);
    end += bytes.length;
  };

  const flush = (): void => {
    if (batch > 0) {
      const bytes = batch;
      batch = 0;
      inFlight += bytes;
      total += bytes;
      writeGathered(() => {
        inFlight -= bytes;
        onRoom();
      });
      corked = false;
      transport.uncork();
    }
    const callbacks = flushed;
    flushed = [];
    for (const callback of callbacks) callback();
  };

  return {
    hasRoom: () => inFlight + batch < transportBacklog,
    header,
    put,
    frame: (name, stream, payload) => {
      header(name, stream, payload.length);
      if (payload.length > 0) put(payload);
    },
    whenFlushed: (callback) => flushed.push(callback),
    flush,
    sent: () => total,
  };
};
