/** A channel's receiving end: a Readable that grants credit only when its consumer takes bytes. */
import { Readable } from 'node:stream';
import { Violation } from './close-reason.ts';
import { initialWindow } from './limits.ts';
import { type GrowthBudget, giveBack, grant, newWindow, receive, take } from './window.ts';

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

/**
 * The size of a channel's first block in bytes. It is small, as most calls carry little data; later blocks
 * double.
 */
const leastBlock = 256;

/** The bytes that wait for their consumer. They are packed, so that tiny frames do not waste memory. */
const createStore = () => {
  const blocks: { readonly bytes: Buffer; used: number }[] = [];
  return {
    isEmpty: (): boolean => blocks.length === 0,
    append: (payload: Buffer): void => {
      const last = blocks.at(-1);
      const fits = last === undefined ? 0 : payload.copy(last.bytes, last.used);
      if (last !== undefined) last.used += fits;
      const rest = payload.length - fits;
      if (rest === 0) return;
      const usual = Math.min(2 * (last?.bytes.length ?? leastBlock / 2), initialWindow);
      const bytes = Buffer.allocUnsafeSlow(Math.max(rest, usual));
      payload.copy(bytes, 0, fits);
      blocks.push({ bytes, used: rest });
    },
    shift: (): Buffer | undefined => {
      const block = blocks.shift();
      return block?.bytes.subarray(0, block.used);
    },
    clear: (): void => {
      blocks.length = 0;
    },
  };
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
  const window = newWindow();
  const store = createStore();
  let ended = false;
  let closed = false;
  let wanted = false;
  /** The bytes in the Readable's own buffer, for which no credit is due yet. */
  let handed = 0;
  let grantDue = false;
  let stopDue = false;

  const taken = (bytes: number): void => {
    if (ended || bytes === 0 || !take(window, bytes) || grantDue) return;
    grantDue = true;
    onControl();
  };

  const hand = (bytes: Buffer): void => {
    wanted = readable.push(bytes);
    if (wanted) taken(bytes.length);
    else handed += bytes.length;
  };

  const drain = (): void => {
    while (wanted) {
      const bytes = store.shift();
      if (bytes === undefined) break;
      hand(bytes);
    }
    if (ended && store.isEmpty() && !closed) readable.push(null);
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
      closed = true;
      store.clear();
      giveBack(window, budget);
      if (!ended) {
        stopDue = true;
        onControl();
      }
      callback(error);
    },
  });
  readable.on('error', () => {});

  const end = (): void => {
    ended = true;
    drain();
  };

  return {
    readable,
    receive: (payload) => {
      if (ended) throw new Violation('state', `${name} after its end`);
      if (payload.length === 0) {
        end();
        return;
      }
      receive(window, payload.length);
      if (closed) return;
      if (wanted && store.isEmpty()) hand(detached(payload));
      else store.append(payload);
    },
    hasEnded: () => ended,
    end,
    fail: (error) => {
      if (!ended) readable.destroy(error);
    },
    takeGrant: () => {
      const due = grantDue && !ended && !closed;
      grantDue = false;
      return due ? grant(window, budget) : 0;
    },
    takeStop: () => {
      const due = stopDue && !ended;
      stopDue = false;
      return due;
    },
  };
};
