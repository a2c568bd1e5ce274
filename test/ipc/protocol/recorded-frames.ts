/** An outbox that keeps its frames instead of writing them. */
import type { Outbox } from '../../../src/ipc/protocol/outbox.ts';

export type RecordedFrames = Outbox & {
  /** Removes and returns the frames so far, each as its name, its stream and its payload in hexadecimal. */
  readonly take: () => readonly string[];
};

export const recordFrames = (): RecordedFrames => {
  let frames: string[] = [];
  let flushed: (() => void)[] = [];
  let total = 0;
  const outbox: RecordedFrames = {
    hasRoom: () => true,
    header: (name, stream) => frames.push(`${name} ${stream} `),
    put: (bytes) => {
      frames.push(`${frames.pop()}${bytes.toString('hex')}`);
      total += bytes.length;
    },
    frame: (name, stream, payload) => {
      outbox.header(name, stream, payload.length);
      outbox.put(payload);
    },
    whenFlushed: (callback) => flushed.push(callback),
    flush: () => {
      const callbacks = flushed;
      flushed = [];
      for (const callback of callbacks) callback();
    },
    sent: () => total,
    take: () => {
      const taken = frames.map((frame) => frame.trimEnd());
      frames = [];
      return taken;
    },
  };
  return outbox;
};
