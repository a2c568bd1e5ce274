/** The receiving end of a channel: a Readable that grants credit as its consumer really takes bytes. */
import { Readable } from 'node:stream';
import { Violation } from './close-reason.ts';
import { initialWindow } from './limits.ts';
import { type GrowthBudget, giveBack, grant, newWindow, receive, take } from './window.ts';

export type Inbound = {
  readonly readable: Readable;
  /** Data of the peer; empty is the end. Throws a Violation on what the peer had no right to send. */
  readonly receive: (payload: Buffer) => void;
  readonly hasEnded: () => boolean;
  /** The end without a frame that says so: nothing was sent. */
  readonly end: () => void;
  /** Destroys the readable, unless all is there already. */
  readonly fail: (error: Error) => void;
  /** Credit to grant now; 0 if none is due. */
  readonly takeGrant: () => number;
  /** Whether the peer is to be told, now, that nobody reads any more. */
  readonly takeStop: () => boolean;
};

/** The first block of a channel, doubled until it is the initial window: most calls have little to say. */
const leastBlock = 256;

/** Bytes that wait for their consumer, packed: tiny frames must not cost more than they hold. */
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

/** A small part of a large chunk would keep all of the chunk in memory. */
const detached = (payload: Buffer): Buffer =>
  payload.length * 4 < payload.buffer.byteLength ? Buffer.from(payload) : payload;

/** @param onControl called when credit or a stop is due */
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
  /** In the Readable's own buffer. */
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
    // The window is the buffer: one piece at a time is enough here.
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
