/** The two ends of an in-memory link that buffers as little as a vchan ring. */
import { Duplex } from 'node:stream';

type End = Duplex & { takeFromPeer(): void };

/** @param capacity bytes that are under way in each direction */
export const duplexPair = (capacity = 65_536): [Duplex, Duplex] => {
  const make = (peer: () => End): End => {
    let waiting: { chunks: Buffer[]; callback: () => void } | undefined;
    let wanted = false;
    const end = new Duplex({
      readableHighWaterMark: capacity,
      writableHighWaterMark: capacity,
      write: (chunk: Buffer, _encoding, callback) => {
        waiting = { chunks: [chunk], callback };
        peer().takeFromPeer();
      },
      writev: (chunks, callback) => {
        waiting = { chunks: chunks.map(({ chunk }) => chunk as Buffer), callback };
        peer().takeFromPeer();
      },
      final: (callback) => {
        setImmediate(() => peer().push(null));
        callback();
      },
      read: () => {
        wanted = true;
        end.takeFromPeer();
      },
      destroy: (error, callback) => {
        const other = peer();
        setImmediate(() => {
          if (!other.readableEnded) other.destroy();
        });
        callback(error);
      },
    }) as End & { offered(): typeof waiting; accepted(): void };
    Object.assign(end, {
      offered: () => waiting,
      accepted: () => {
        const callback = waiting?.callback;
        waiting = undefined;
        callback?.();
      },
      takeFromPeer: () => {
        const other = peer() as unknown as typeof end;
        const offer = other?.offered();
        if (!wanted || offer === undefined) return;
        wanted = false;
        setImmediate(() => {
          for (const chunk of offer.chunks) end.push(chunk);
          other.accepted();
        });
      },
    });
    return end;
  };
  const left: End = make(() => right);
  const right: End = make(() => left);
  return [left, right];
};
