/** Vchans to other domains, as libxenvchan makes them, in both roles. */
import type { Duplex } from 'node:stream';
import { loadNative, type NativeVchan } from '../../xen/native.ts';
import { VchanError, withVchanErrors } from './vchan-error.ts';
import { VchanStream } from './vchan-stream.ts';

type VchanOffer = {
  /** What the node `ring-ref` must hold. */
  readonly ringRef: number;
  /** What the node `event-channel` must hold. */
  readonly eventChannel: number;
  /** The first and only client has come. Rejects with VCHAN_CLOSED if the session ends before. */
  readonly connected: Promise<Duplex>;
};

export type VchanServer = {
  /**
   * A new session on the same pages. The one before ends, and what its client has not read is lost. The
   * offer must still be published in xenstore. Throws a VchanError.
   */
  offer(): VchanOffer;
  /** Ends the session and frees the pages. May be called again. */
  close(): void;
};

/** Bytes that a ring holds at least; left is what the client writes, right what the server does. */
export type RingSizes = { readonly left: number; readonly right: number };

/** 33 pages with the control page; a server holds one more while it offers or is connected. */
const usualSizes: RingSizes = { left: 64 * 1024, right: 64 * 1024 };
/** libxenvchan's limit, above which the grants' list does not fit into the control page. */
const maxSize = 1024 * 1024;

const checkSizes = ({ left, right }: RingSizes): void => {
  for (const size of [left, right]) {
    if (Number.isInteger(size) && size > 0 && size <= maxSize) continue;
    throw new RangeError(`a vchan's ring has 1 to ${maxSize} bytes, not ${size}`);
  }
};

type Session = { readonly offer: VchanOffer; end(): void };

/** Offers what `open` opens, and makes the stream when a client has come. */
const startSession = (ringRef: number, open: (onEvent: () => void) => NativeVchan): Session => {
  let stream: VchanStream | undefined;
  let accept: (stream: VchanStream) => void = () => undefined;
  let giveUp: (error: VchanError) => void = () => undefined;
  const connected = new Promise<Duplex>((resolve, reject) => {
    accept = resolve;
    giveUp = reject;
  });
  // Whoever does not wait for a client need not hear that none came.
  connected.catch(() => undefined);
  const onEvent = (): void => {
    if (stream) {
      stream.handleEvent();
    } else if (!vchan.isWaiting()) {
      stream = new VchanStream(vchan);
      accept(stream);
      // Only once somebody can have come to listen for an error.
      setImmediate(() => stream?.handleEvent());
    }
  };
  const vchan = withVchanErrors(() => open(onEvent));
  return {
    offer: { ringRef, eventChannel: vchan.port(), connected },
    end: () => {
      vchan.close();
      stream?.destroy();
      giveUp(new VchanError('VCHAN_CLOSED', 'the vchan was closed before a client came'));
    },
  };
};

/**
 * Grants the pages to that domain. They stay the same over all sessions with it, so that a peer which
 * keeps its maps of them cannot use up our memory. Throws a VchanError, or a RangeError for a size.
 */
export const openVchanServer = (domid: number, sizes: RingSizes = usualSizes): VchanServer => {
  checkSizes(sizes);
  const { Vchan, VchanServer: Pages } = loadNative();
  const pages = withVchanErrors(() => new Pages(domid, sizes.left, sizes.right));
  let session: Session | undefined;
  return {
    offer: () => {
      session?.end();
      session = startSession(pages.ringRef(), (onEvent) => new Vchan(onEvent, pages));
      return session.offer;
    },
    close: () => {
      session?.end();
      session = undefined;
      pages.close();
    },
  };
};

/** Connects to what that domain offers. Throws a VchanError. */
export const joinVchan = (domid: number, ringRef: number, eventChannel: number): Duplex => {
  const { Vchan } = loadNative();
  const vchan: NativeVchan = withVchanErrors(
    () => new Vchan(() => stream.handleEvent(), domid, ringRef, eventChannel),
  );
  const stream = new VchanStream(vchan);
  return stream;
};
