/** The frames on their way out. It limits the bytes that the transport holds, and counts them. */
import type { Writable } from 'node:stream';
import { type FrameName, writeHeader } from './frame.ts';
import { headerBytes, transportBacklog } from './limits.ts';

/** Gathers small frames, and passes on large payloads without a copy. */
type FrameWriter = {
  /** Adds a frame's header. The caller adds the payload with put(). */
  readonly header: (name: FrameName, stream: number, length: number) => void;
  /** Adds payload bytes. They must not change until the transport has written them. */
  readonly put: (bytes: Buffer) => void;
  /**
   * Hands all bytes to the transport, in one write if it supports that.
   * @param done called when the transport has written them
   */
  readonly flush: (done: () => void) => void;
};

const slabBytes = 16_384;

/** Up to this size, a copy is cheaper than another write. */
const smallBytes = 1024;

export const createFrameWriter = (transport: Writable): FrameWriter => {
  let slab = Buffer.allocUnsafeSlow(slabBytes);
  let start = 0;
  let end = 0;
  let corked = false;

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

  return {
    header: (name, stream, length) => {
      reserve(headerBytes);
      writeHeader(slab, end, name, stream, length);
      end += headerBytes;
    },
    put: (bytes) => {
      if (bytes.length > smallBytes) {
        writeGathered();
        write(bytes);
        return;
      }
      reserve(bytes.length);
      bytes.copy(slab, end);
      end += bytes.length;
    },
    flush: (done) => {
      writeGathered(done);
      corked = false;
      transport.uncork();
    },
  };
};

export type Outbox = Pick<FrameWriter, 'header' | 'put'> & {
  /** False while the transport still holds a full backlog. */
  readonly hasRoom: () => boolean;
  readonly frame: (name: FrameName, stream: number, payload: Buffer) => void;
  /** Calls back once all bytes added so far are handed to the transport. */
  readonly whenFlushed: (callback: () => void) => void;
  /** Hands all bytes to the transport, in one write if it supports that. */
  readonly flush: () => void;
  /** The bytes handed to the transport so far. */
  readonly sent: () => number;
};

/** @param onRoom called when the transport has written a batch */
export const createOutbox = (transport: Writable, onRoom: () => void): Outbox => {
  const writer = createFrameWriter(transport);
  let batch = 0;
  let inFlight = 0;
  let total = 0;
  let flushed: (() => void)[] = [];

  const header = (name: FrameName, stream: number, length: number): void => {
    batch += headerBytes;
    writer.header(name, stream, length);
  };

  const put = (bytes: Buffer): void => {
    batch += bytes.length;
    writer.put(bytes);
  };

  const flushBatch = (): void => {
    if (batch === 0) return;
    const bytes = batch;
    batch = 0;
    inFlight += bytes;
    total += bytes;
    writer.flush(() => {
      inFlight -= bytes;
      onRoom();
    });
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
    flush: () => {
      flushBatch();
      const callbacks = flushed;
      flushed = [];
      for (const callback of callbacks) callback();
    },
    sent: () => total,
  };
};
