/** Writes frames to the transport. It gathers small frames, and passes on large payloads without a copy. */
import type { Writable } from 'node:stream';
import { type FrameName, writeHeader } from './frame.ts';
import { headerBytes } from './limits.ts';

type FrameWriter = {
  /** Adds a frame's header. */
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
