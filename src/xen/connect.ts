/** Connects to xenstored, and finds out our own domid and name. */
import { type Domid, parseDomid } from '../address/domid.ts';
import { VifwatchError } from '../errors.ts';
import { answerMs, answerWithin } from '../system/deadline.ts';
import { quoted } from '../text/printable.ts';
import { openXenstore, type Xenstore, XenstoreError } from './xenstore.ts';

/**
 * Opens a connection and reads our domid.
 * @throws VifwatchError XENSTORE_UNAVAILABLE if xenstored cannot be reached or does not answer within 15 s
 */
export const connect = async (): Promise<{ readonly store: Xenstore; readonly domid: Domid }> => {
  let store: Xenstore | undefined;
  try {
    store = openXenstore();
    const text = await answerWithin(answerMs, store.read('domid'));
    const domid = parseDomid(text);
    if (domid === undefined) throw new Error(`its domid for this domain is ${quoted(text)}`);
    return { store, domid };
  } catch (error) {
    // A pending request keeps the process alive.
    store?.close();
    const { message } = error as Error;
    const hint =
      error instanceof XenstoreError ? '; is this a Xen domain that has /dev/xen/xenbus?' : '';
    throw new VifwatchError('XENSTORE_UNAVAILABLE', `cannot talk to xenstored: ${message}${hint}`);
  }
};

/**
 * The name that dom0 gives this VM.
 * @throws VifwatchError XENSTORE_UNAVAILABLE, or XenstoreError if the name cannot be read
 */
export const ownName = async (): Promise<string> => {
  const { store } = await connect();
  try {
    return await store.read('name');
  } finally {
    store.close();
  }
};
