/** The frames on their way out. It limits the bytes that the transport holds, and counts them. */
import type { Writable } from 'node:stream';
import type { FrameName } from './frame.ts';
import { createFrameWriter } from './frame-writer.ts';
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
