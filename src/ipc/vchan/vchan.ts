/** Vchans to other domains in both roles, compatible with libxenvchan. */
import type { Duplex } from 'node:stream';
import type { Domid } from '../../address/domid.ts';
import { deferred } from '../../system/deferred.ts';
import { loadNative, type NativeVchan } from '../../xen/native.ts';
import type { OfferNumbers } from './nodes.ts';
import { VchanError, withVchanErrors } from './vchan-error.ts';
import { VchanStream } from './vchan-stream.ts';

type VchanOffer = OfferNumbers & {
  /**
   * Resolves when the first and only client has come. Rejects with VCHAN_CLOSED if the session ends before.
   */
  readonly connected: Promise<Duplex>;
};

export type VchanServer = {
  /**
   * Starts a new session on the same pages. The previous session ends, and its client's unread data is lost.
   * The caller must publish the offer in xenstore.
   * @throws VchanError
   */
  offer(): VchanOffer;
  /** Ends the session and frees the pages. It may be called again. */
  close(): void;
};

/** The rings' least sizes in bytes. The client writes to `left`, and the server writes to `right`. */
export type RingSizes = { readonly left: number; readonly right: number };

/** 33 pages with the control page; a server holds one more while it offers or is connected. */
const usualSizes: RingSizes = { left: 64 * 1024, right: 64 * 1024 };
/** libxenvchan's limit: a larger ring's list of grants does not fit into the control page. */
const maxSize = 1024 * 1024;

const checkSizes = ({ left, right }: RingSizes): void => {
  for (const size of [left, right]) {
    if (Number.isInteger(size) && size > 0 && size <= maxSize) continue;
    throw new RangeError(`a vchan's ring has 1 to ${maxSize} bytes, not ${size}`);
  }
};

type Session = { readonly offer: VchanOffer; end(): void };

/** Offers the vchan that `open` returns, and makes the stream when a client has come. */
const startSession = (ringRef: number, open: (onEvent: () => void) => NativeVchan): Session => {
  let stream: VchanStream | undefined;
  const client = deferred<Duplex>();
  // A caller that does not wait for a client need not handle the rejection.
  client.promise.catch(() => undefined);
  const onEvent = (): void => {
    if (stream) {
      stream.handleEvent();
    } else if (!vchan.isWaiting()) {
      stream = new VchanStream(vchan);
      client.resolve(stream);
      // Events come only after the caller had time to add an error listener.
      setImmediate(() => stream?.handleEvent());
    }
  };
  const vchan = withVchanErrors(() => open(onEvent));
  return {
    offer: { ringRef, eventChannel: vchan.port(), connected: client.promise },
    end: () => {
      vchan.close();
      stream?.destroy();
      client.reject(new VchanError('VCHAN_CLOSED', 'the vchan was closed before a client came'));
    },
  };
};

/**
 * Grants the pages to the domain. All sessions with it use the same pages, so that a peer that keeps them
 * mapped cannot use up this VM's memory.
 * @throws VchanError, or RangeError for an invalid size
 */
export const openVchanServer = (domid: Domid, sizes: RingSizes = usualSizes): VchanServer => {
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

/**
 * Joins the domain's offer.
 * @throws VchanError
 */
export const joinVchan = (domid: Domid, ringRef: number, eventChannel: number): Duplex => {
  const { Vchan } = loadNative();
  const vchan: NativeVchan = withVchanErrors(
    () => new Vchan(() => stream.handleEvent(), domid, ringRef, eventChannel),
  );
  const stream = new VchanStream(vchan);
  return stream;
};
